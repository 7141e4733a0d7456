from core.sql.operations import grant
from django.db import migrations


class Migration(migrations.Migration):
    """Tables of other people's apps that the application changes. A house test names every one."""

    dependencies = [
        ("accounts", "0002_rules"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        grant("GRANT UPDATE, DELETE ON account_emailaddress TO {app}"),
        grant("GRANT UPDATE, DELETE ON account_emailconfirmation TO {app}"),
        grant("GRANT UPDATE, DELETE ON mfa_authenticator TO {app}"),
        grant("GRANT DELETE ON accounts_person_groups TO {app}"),
        grant("GRANT DELETE ON accounts_person_user_permissions TO {app}"),
    ]
