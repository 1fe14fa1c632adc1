"""E-mail through Django's backend (``EMAIL_*`` settings, from ``GETIHU_EMAIL_URL``)."""

from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage

from getihu.notifications.ports import Outgoing, PermanentFailure, TemporaryFailure

FIRST_PERMANENT = 500


class Mail:
    """Plain text, one recipient. The message's key is its Message-ID, so that a mail server and
    the recipient's program know a second copy for what it is."""

    name = "mail"

    def send(self, message: Outgoing) -> str:
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
        number = f"<{message.key}@{domain}>"
        mail = EmailMessage(
            subject=message.title,
            body=f"{message.text}\n\n这是“个体工商户服务”发出的通知，请不要回复。\n",
            to=[message.address],
            headers={"Message-ID": number, "Auto-Submitted": "auto-generated"},
        )
        try:
            mail.send()
        except SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _failure(max(codes)) from None
        except SMTPResponseException as error:
            raise _failure(error.smtp_code) from None
        except (BadHeaderError, UnicodeError):
            raise PermanentFailure("地址不能用") from None
        except (SMTPException, OSError):
            raise TemporaryFailure("邮件服务器没有应答") from None
        return number


def _failure(code: int) -> Exception:
    """5xx is for good, 4xx for now (RFC 5321 4.2.1). A refused sign-in is our fault, not hers."""
    if code >= FIRST_PERMANENT and code not in (530, 534, 535, 538):
        return PermanentFailure(f"邮件服务器回答 {code}")
    return TemporaryFailure(f"邮件服务器回答 {code}")
