"""One settings file. Three modes: demo (default), production, test; DEBUG is on in none.

Importing it touches neither disk nor database and needs no secret: tools that only look at the
code (mypy, makemigrations) run on placeholders, and a production start refuses those.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from greenroom.broker import broker_url
from greenroom.checkout import TEMPLATES_FOLDER
from greenroom.environment import (
    MAIL_BACKENDS,
    database_settings,
    files_address,
    listed,
    mail_from,
    mail_server,
    mode,
    openid_provider,
    peppers,
    port,
    secret_key,
    webhook_networks,
    worker_credential,
)
from greenroom.secrets import var_path

MODE = mode()
PRODUCTION = MODE == "production"
VAR = var_path()
DEBUG = False
SECRET_KEY = secret_key()
PEPPERS = peppers  # called when a token is read or made, not when settings are imported
SIGNING_KEY = os.environ.get("GREENROOM_SIGNING_KEY", "")  # empty: derived from SECRET_KEY

PORT = port()
ALLOWED_HOSTS = listed("GREENROOM_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
PUBLIC_ADDRESS = os.environ.get("GREENROOM_ADDRESS", f"http://localhost:{PORT}").rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_ADDRESS]
TRUSTED_PROXIES = listed("GREENROOM_TRUSTED_PROXIES", default=[])

INSTALLED_APPS = [
    "core",
    "accounts",
    "generation",
    "review",
    "greenroom",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "greenroom.middleware.RequestId",
    "greenroom.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "greenroom.middleware.Room",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "greenroom.middleware.Actor",
    "greenroom.middleware.Refusals",
]

ROOT_URLCONF = "greenroom.urls"
WSGI_APPLICATION = "greenroom.wsgi.application"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [TEMPLATES_FOLDER],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "greenroom.portal.context.place",
            ],
        },
    },
]

DATABASES = {"default": database_settings()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Identity ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "studio"
ACCOUNT_ADAPTER = "accounts.entrance.adapter.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "studio"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = True
# The lab's own provider, for staff; None where there is none.
OPENID = openid_provider()
MFA_ADAPTER = "accounts.entrance.second_step.SecondStep"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Greenroom"
# Browsers treat http://localhost as secure; a production address must be https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
ACCOUNT_RATE_LIMITS = (
    False
    if MODE == "test"
    else {"login_failed": "10/m/ip,5/5m/key", "reset_password": "10/m/ip,3/10m/key"}
)
# A letter's link to a new password; `accounts.entrance` counts letters for each person besides.
PASSWORD_RESET_TIMEOUT = int(timedelta(minutes=30).total_seconds())

SESSION_ENGINE = "accounts.credentials.sessions"
SESSION_COOKIE_NAME = "greenroom_session"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; the router only ever speaks to it
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = None  # the router alone decides the scheme, from trusted proxies
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # greenroom.middleware.SecurityHeaders does what SecurityMiddleware would
    "security.W002",  # frame-ancestors 'none' stands in the policy
    "security.W008",  # redirecting to https is the proxy's part
]

# Languages, time, static files ---------------------------------------------------------------
LANGUAGE_CODE = "en"
PSEUDO_LOCALE = MODE != "production"
LANGUAGES = [("en", "English")] + ([("en-xa", "Pseudo-English")] if PSEUDO_LOCALE else [])
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE != "test"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_USE_FINDERS = MODE == "test"
WHITENOISE_AUTOREFRESH = False

# Media and models ----------------------------------------------------------------------------
MEDIA_FOLDER = Path(os.environ.get("GREENROOM_MEDIA", VAR / "media"))
MEDIA_BACKEND = os.environ.get("GREENROOM_MEDIA_BACKEND", "router")
# Of a worker on another machine: the web that its files go to. Empty: both share the media folder.
FILES_ADDRESS = files_address()
FILES_CA = os.environ.get("GREENROOM_FILES_CA", "")
WORKER_CREDENTIAL = worker_credential  # called before each request, not when settings are imported
MODELS_FOLDER = Path(os.environ.get("GREENROOM_MODELS", VAR / "models"))
# Two letters of ISO 3166-1: some models' licences do not hold everywhere.
TERRITORY = os.environ.get("GREENROOM_TERRITORY", "").strip().upper()
MAX_BODY_BYTES = 25 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "greenroom.uploads.Aside",
]

# API -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "greenroom.api.authentication.TokenAuthentication",
        "greenroom.api.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["greenroom.api.permissions.CarriesScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "greenroom.api.schema.Endpoint",
    "EXCEPTION_HANDLER": "greenroom.api.problems.answer_for",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Greenroom",
    "DESCRIPTION": "The native API: what the portal does, for programs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Fields called “kind” and “state” of several features: their choices need names of their own.
    "ENUM_NAME_OVERRIDES": {
        "ActKind": "accounts.rates.rules.ActKind",
        "AgreementAnswer": "accounts.agreements.models.Acceptance.Act",
        "CaseKind": "review.submissions.rules.CaseKind",
        "CaseState": "review.submissions.rules.State",
        "ConsentDeed": "accounts.consents.models.ConsentAct.Deed",
        "ContributionKind": "review.contributions.rules.Kind",
        "ContributionState": "review.contributions.rules.State",
        "CreditRole": "review.credits.rules.CreditRole",
        "CreditState": "review.credits.rules.State",
        "ExportState": "accounts.exports.models.Export.State",
        "JobState": "generation.jobs.rules.State",
        "PayoutState": "review.payouts.rules.State",
        "PostWay": "accounts.post.rules.Way",
        "Role": "accounts.programmes.models.Role",
        "RetentionState": "review.retention.rules.State",
        "RemovalWhy": "generation.clips.models.Removal.Why",
        "TransactionKind": "review.ledger.rules.TransactionKind",
    },
}

# Workers -------------------------------------------------------------------------------------
BROKER_FOLDER = VAR / "broker"
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or broker_url(BROKER_FOLDER)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "greenroom.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}

# Mail ----------------------------------------------------------------------------------------
MAIL_SERVER = mail_server()
MAIL_LEAVES = not PRODUCTION or bool(MAIL_SERVER.host)
MAIL_FOLDER = VAR / "mail"  # of the demonstration
EMAIL_BACKEND = MAIL_BACKENDS[MODE]
EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.host, MAIL_SERVER.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL_SERVER.speaks_tls, MAIL_SERVER.starts_tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = mail_from(PUBLIC_ADDRESS)

# Webhooks ------------------------------------------------------------------------------------
WEBHOOK_NETWORKS = webhook_networks()
WEBHOOK_CA = os.environ.get("GREENROOM_WEBHOOK_CA", "")
# A rehearsal on one machine may send to a receiver beside it, over http as well.
WEBHOOK_LOOPBACK = not PRODUCTION
