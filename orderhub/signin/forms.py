"""What is typed to prove who one is, and a new password."""

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub import clock, wording
from orderhub.signin import lockout, passwords

REFUSED_NAMES = {
    "admin",
    "administrator",
    "administrateur",
    "root",
    "superuser",
    "sysadmin",
    "test",
    "tester",
    "testuser",
    "demo",
    "guest",
    "user",
    "default",
    "anonymous",
    "shared",
    "staff",
}  # fmt: skip  names that stand for nobody, or for everybody


def names_nobody(username: str) -> bool:
    """Whether a user name is generic: admin, test2, DEMO."""
    return username.casefold().rstrip("0123456789-_. ") in REFUSED_NAMES


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false", "autofocus": True,
                "class": "oh-code",
            }
        ),
    )  # fmt: skip


class PasswordAgainForm(forms.Form):
    """The password of somebody who has no second factor."""

    code = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class OwnPasswordForm(PasswordChangeForm):
    """Django's form; a wrong old password is counted as a failed sign-in, and the least age holds."""

    def __init__(self, user, *args, request, **kwargs):
        super().__init__(user, *args, **kwargs)
        self.request = request
        self.rules = [text for text in password_validators_help_texts() if text]
        self.fields["new_password1"].help_text = self.fields["new_password2"].help_text = ""

    def clean_old_password(self):
        name, now = self.user.username, clock.now()
        attempt = lockout.admit(name, self.request, now=now)
        if attempt is None:
            self.request.axes_locked_out = True
            raise forms.ValidationError(gettext("Too many failures."))
        if not self.user.check_password(self.cleaned_data["old_password"]):
            lockout.failed(attempt, name, self.request, now=now)
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        lockout.passed(attempt, name, self.request, whole=False)
        return self.cleaned_data["old_password"]

    def clean(self):
        if (at := passwords.may_change_at(self.user)) is not None:
            text = gettext(
                "You changed your password less than a day ago. Change it again after %(at)s, or ask an administrator to "
                "set a new one."
            )
            raise forms.ValidationError(text % {"at": wording.utc(at)}, code="password_too_young")
        return super().clean()

    def save(self, commit=True):
        self.user.password_is_temporary = False
        return super().save(commit)
