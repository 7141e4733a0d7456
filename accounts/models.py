"""Table of contents: Django looks for models here."""

from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.credentials.models import Credential, PortalSession
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.people.models import Party, Person, PersonalDetail
from accounts.programmes.models import Membership, Programme, RoleGrant
from accounts.quotas.models import Budget, Reservation
from accounts.rates.models import Rate

__all__ = [
    "Acceptance",
    "AgreementVersion",
    "Budget",
    "Credential",
    "Invitation",
    "Membership",
    "Notice",
    "Party",
    "Person",
    "PersonalDetail",
    "PortalSession",
    "Programme",
    "Rate",
    "Reservation",
    "RoleGrant",
]
