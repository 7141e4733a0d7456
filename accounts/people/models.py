"""Who somebody is, in three rows: the party that everything points to, the person who signs in,
and what is personal about them. The last two can be erased; the first holds nothing personal."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.clock import CoreNow
from core.fields import id_field


class Party(models.Model):
    """An opaque id. Jobs, clips, audit, and later credit lines and the ledger point here."""

    class Kind(models.TextChoices):
        PERSON = "person"
        ORGANISATION = "organisation"

    id = id_field()
    kind = models.CharField(max_length=16, choices=Kind)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.CheckConstraint(
                name="party_kind_is_known",
                condition=models.Q(kind__in=["person", "organisation"]),
            ),
        ]


class People(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(
            email=self.normalize_email(email).lower(),
            party=fields.pop("party", None) or Party.objects.create(kind=Party.Kind.PERSON),
            **fields,
        )
        person.set_password(password)
        person.save(using=self._db, force_insert=True)
        PersonalDetail.objects.create(person=person)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """Who signs in: an e-mail address, no user name."""

    id = id_field()
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="person")
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_demonstration = models.BooleanField(default=False)
    made_at = models.DateTimeField(db_default=CoreNow())

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(
                name="person_email_is_lower_case", condition=models.Q(email=Lower("email"))
            ),
        ]

    @property
    def display_name(self) -> str:
        return self.detail.display_name

    def get_full_name(self) -> str:
        return self.detail.display_name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()


class PersonalDetail(models.Model):
    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="detail"
    )
    display_name = models.CharField(max_length=120, blank=True)
    credit_name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=16, blank=True)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    time_zone = models.CharField(max_length=64, blank=True)
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    contact = models.CharField(max_length=254, blank=True)
    # ISO 3166-1, two letters. Asked for only where a model's licence does not hold everywhere.
    country = models.CharField(max_length=2, blank=True)
    mail_bounced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_country_is_two_letters", condition=Q(country__regex=r"^([A-Z]{2})?$")
            )
        ]
