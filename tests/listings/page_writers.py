"""The papers as people receive and save them: arXiv's listing mail, and the text of a trending-papers page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.charset import BASE64, QP, Charset
from email.message import EmailMessage, Message
from email.mime.text import MIMEText

from papers import Paper, wrapped
from record_writers import latex_letter

_RULE = "-" * 78
_HEAD = f"""{_RULE}
{_RULE}
Send any comments regarding submissions directly to submitter.
{_RULE}
Archives at http://arxiv.org/
To unsubscribe, e-mail To: cs@arXiv.org, Subject: cancel
{_RULE}
 Submissions to:
Computer Science
 received from  Mon 16 Nov 26 19:00:00 GMT  to  Tue 17 Nov 26 19:00:00 GMT
{_RULE}
{_RULE}
"""
_FOOT = "%%%---" * 13 + "\n"


def arxiv_mail(papers: Sequence[Paper]) -> str:
    """The text of a listing mail: fields on lines of their own, the abstract between two backslashes."""
    return _HEAD + f"{_RULE}\n".join("\n".join(_mail_lines(paper)) + "\n" for paper in papers) + _RULE + "\n" + _FOOT


def arxiv_mail_file(papers: Sequence[Paper], encoding: str, charset: str = "utf-8") -> bytes:
    """The mail whole, as a mail program saves it; `encoding` is "quoted-printable" or "base64"."""
    written = Charset(charset)
    written.body_encoding = QP if encoding == "quoted-printable" else BASE64
    mail = MIMEText(arxiv_mail(papers), "plain", _charset=written)  # type: ignore[arg-type]  # typeshed knows no Charset
    return _headed(mail, 0).as_bytes()


def mailbox(papers: Sequence[Paper], mails: int = 4) -> bytes:
    """Several mails in an mbox, where a line that begins with "From " is quoted."""
    size = max(1, -(-len(papers) // mails))
    parts = [papers[start : start + size] for start in range(0, len(papers), size)]
    return b"\n".join(_envelope(arxiv_mail_file(part, "quoted-printable"), n) for n, part in enumerate(parts))


def alternatives(papers: Sequence[Paper]) -> bytes:
    """A mail with the listing as text, and a page that says the same to those who like HTML."""
    mail = EmailMessage()
    _headed(mail, 1)
    mail.set_content(arxiv_mail(papers), cte="quoted-printable")
    mail.add_alternative(
        "<html><body><p>Your program shows the <b>plain</b> text better.</p></body></html>", subtype="html"
    )
    return mail.as_bytes()


def trending_spaced(papers: Sequence[Paper]) -> str:
    """The page with blank lines between its blocks."""
    head = ("new", "Get trending papers in your email inbox!", "Subscribe", "byAK and the research community", "Nov 17")
    return "\n\n".join((*head, *(line for paper in papers for line in (paper.title, *paper.paragraphs)))) + "\n"


def trending_compact(papers: Sequence[Paper]) -> str:
    """The page with one line for each block, and the first title glued to a button."""
    lines = "\n".join(line for paper in papers for line in (paper.title, *paper.paragraphs))
    offer = "Get trending papers in your email inbox"
    return f"{offer} once a day!\n{offer}!\nSubscribe{lines}"


def _mail_lines(paper: Paper) -> Iterator[str]:
    yield from ("\\\\", f"arXiv:{paper.arxiv}")
    yield from (f"Date: {paper.moment:%a, %d %b %Y %H:%M:%S} GMT   (1234kb)", "")
    for field, value in _mail_fields(paper):
        if value:
            yield wrapped(f"{field}: {value}").replace("\n", "\n  ")
    yield "\\\\"
    yield from (wrapped(("  " if n else "") + text, "  ") for n, text in enumerate(paper.paragraphs))
    yield f"\\\\ ( https://arxiv.org/abs/{paper.arxiv} ,  1234kb)"


def _mail_fields(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "Title", paper.title
    yield "Authors", "".join(map(latex_letter, ", ".join(name.shown for name in paper.authors)))
    yield "Categories", " ".join(paper.categories)
    yield "Comments", paper.comments
    yield "DOI", paper.doi


def _headed(mail: Message, number: int) -> Message:
    mail["From"] = "no-reply@arxiv.org (send mail ONLY to cs)"
    mail["To"] = "rabble@arxiv.org (cs subscribers)"
    mail["Subject"] = f"cs daily Subj-class mailing {number}0001 1"
    mail["Date"] = "Tue, 17 Nov 2026 20:30:00 -0500"
    mail["Message-ID"] = f"<2026111{number}@arxiv.org>"
    return mail


def _envelope(mail: bytes, number: int) -> bytes:
    lines = mail.rstrip(b"\n").split(b"\n")
    body = b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines)
    return f"From no-reply@arxiv.org Tue Nov 17 20:30:{number:02} 2026\n".encode() + body + b"\n"
