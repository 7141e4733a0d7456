import pytest
from django.test import Client

from stage.cast import ADDRESS


@pytest.fixture
def a_browser() -> Client:
    return Client(headers={"host": ADDRESS})
