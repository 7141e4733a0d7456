"""Table of contents: Django looks for models here."""

from accounts.administrators.models import Administrator
from accounts.agreements.models import Acceptance, AgreementVersion, AgreementView
from accounts.announcements.models import Announcement
from accounts.calendars.models import CalendarVersion
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.conversations.models import Conversation, Remark
from accounts.credentials.models import Credential, PortalSession
from accounts.device_logins.models import DeviceLogin, DeviceLoginTry
from accounts.erasures.models import Erasure
from accounts.exports.models import Export
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.people.models import Party, Person, PersonalDetail
from accounts.post.models import Mail, PostPreference
from accounts.programmes.models import Membership, Particulars, Programme, RoleGrant
from accounts.quotas.models import Budget, Reservation
from accounts.rates.models import Rate
from accounts.retention.models import RetentionVersion
from accounts.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

__all__ = [
    "Acceptance",
    "Administrator",
    "AgreementVersion",
    "AgreementView",
    "Announcement",
    "Budget",
    "CalendarVersion",
    "Cohort",
    "CohortSeat",
    "ConsentAct",
    "ConsentVersion",
    "Conversation",
    "Credential",
    "DeviceLogin",
    "DeviceLoginTry",
    "Erasure",
    "Export",
    "Invitation",
    "Mail",
    "Membership",
    "Notice",
    "Particulars",
    "Party",
    "Person",
    "PersonalDetail",
    "PortalSession",
    "PostPreference",
    "Programme",
    "Rate",
    "Remark",
    "Reservation",
    "RetentionVersion",
    "RoleGrant",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
]
