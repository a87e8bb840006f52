"""What a reply means: the table of the checklist, row by row, and for any reply at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.delivery.verdict import Blame, Phase, Result, Verdict, verdict
from digest.model import State

MAIL, RCPT, DATA, BODY = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY
LATER, FAILED, BACK = State.DEFERRED, State.FAILED, State.PLANNED


@pytest.mark.parametrize(("phase", "state"), [(MAIL, LATER), (RCPT, LATER), (DATA, LATER), (BODY, State.UNKNOWN)])
def test_a_loss_is_unknown_only_when_the_body_was_out(phase: Phase, state: State) -> None:
    """Before, the relay certainly has not accepted the message, and the recipient is not to blame."""
    assert verdict(Result(phase, 0, "connection lost", lost=True)) == Verdict(state, Blame.RELAY)


def test_only_250_behind_the_dot_is_sent() -> None:
    """No other code and no other step."""
    assert verdict(Result(BODY, 250, "2.0.0 queued")) == Verdict(State.SENT, Blame.NONE)
    assert verdict(Result(BODY, 251, "x")).state is State.UNKNOWN
    assert verdict(Result(RCPT, 250, "x")).state is LATER
    assert verdict(Result(BODY, 250, "x", lost=True)).state is State.UNKNOWN


def test_an_address_that_cannot_be_sent_fails_alone() -> None:
    """Our own words, with code 0."""
    assert verdict(Result(Phase.ADDRESS, 0, "needs SMTPUTF8")) == Verdict(FAILED, Blame.RECIPIENT)


@pytest.mark.parametrize(
    ("phase", "reply", "state", "blame"),
    [
        (MAIL, "421 4.3.2 too busy", LATER, Blame.RELAY),
        (RCPT, "421 4.7.0 slow down", LATER, Blame.DOMAIN),
        (DATA, "421 4.7.0 slow down", LATER, Blame.DOMAIN),
        (BODY, "421 4.7.0 slow down", LATER, Blame.DOMAIN),
        (MAIL, "451 4.3.0 later", LATER, Blame.RELAY),
        (MAIL, "452 4.3.1 disk full", LATER, Blame.RELAY),
        (RCPT, "450 4.2.1 busy mailbox", LATER, Blame.RECIPIENT),
        (RCPT, "452 4.2.2 full", LATER, Blame.RECIPIENT),
        (RCPT, "451 later", LATER, Blame.RECIPIENT),
        (RCPT, "451 4.7.1 greylisted", LATER, Blame.DOMAIN),
        (DATA, "451 4.3.0 later", LATER, Blame.DOMAIN),
        (BODY, "451 4.7.500 busy", LATER, Blame.DOMAIN),
        (BODY, "452 4.2.2 full", LATER, Blame.RECIPIENT),
        (BODY, "450 4.2.2 full", LATER, Blame.RECIPIENT),
        (BODY, "452 too much", LATER, Blame.RECIPIENT),
        (BODY, "452 4.3.1 disk full", LATER, Blame.DOMAIN),
        (MAIL, "550 5.7.1 go away", BACK, Blame.US),
        (MAIL, "553 5.1.8 bad sender", BACK, Blame.US),
        (MAIL, "552 5.2.2 your quota", BACK, Blame.US),
        (MAIL, "503 bad sequence", LATER, Blame.RELAY),
        (MAIL, "530 5.7.0 log in", BACK, Blame.US),
        (RCPT, "530 5.7.0 log in", BACK, Blame.US),
        (BODY, "535 5.7.8 bad login", BACK, Blame.US),
        (DATA, "538 5.7.11 encrypt", BACK, Blame.US),
        (RCPT, "534 5.7.9 too weak", BACK, Blame.US),
        (MAIL, "552 5.3.4 too big", FAILED, Blame.SIZE),
        (MAIL, "552 too big", FAILED, Blame.SIZE),
        (BODY, "552 too big", FAILED, Blame.SIZE),
        (BODY, "554 5.3.4 too big", FAILED, Blame.SIZE),
        (BODY, "552 5.2.3 too long", FAILED, Blame.SIZE),
        (RCPT, "552 5.2.2 full", FAILED, Blame.RECIPIENT),
        (BODY, "552 5.2.2 full", FAILED, Blame.RECIPIENT),
        (MAIL, "550 5.6.7 no UTF-8", FAILED, Blame.RECIPIENT),
        (RCPT, "553 5.6.7 no UTF-8", FAILED, Blame.RECIPIENT),
        (RCPT, "503 5.5.1 need MAIL", LATER, Blame.RELAY),
        (RCPT, "550 5.7.1 blocked", FAILED, Blame.RECIPIENT),
        (BODY, "554 5.7.1 spam", FAILED, Blame.RECIPIENT),
        (RCPT, "550 nobody", FAILED, Blame.RECIPIENT),
        (DATA, "554 5.5.1 no valid recipients", FAILED, Blame.RECIPIENT),
        (BODY, "554 5.6.0 not that", FAILED, Blame.RECIPIENT),
        (RCPT, "550 4.7.1 mixed up", FAILED, Blame.RECIPIENT),
    ],
)  # fmt: skip
def test_a_refusal_is_judged_by_step_and_code(phase: Phase, reply: str, state: State, blame: Blame) -> None:
    """The fault table; none of these suppresses anybody."""
    assert verdict(Result(phase, int(reply[:3]), reply[4:])) == Verdict(state, blame, suppress=False)


@pytest.mark.parametrize("code", ["5.1.1", "5.1.2", "5.1.10"])
@pytest.mark.parametrize("phase", [RCPT, DATA, BODY])
def test_nobody_there_suppresses(phase: Phase, code: str) -> None:
    """No such mailbox, no such domain, null MX: at once (checklist 22)."""
    assert verdict(Result(phase, 550, f"{code} nobody")) == Verdict(FAILED, Blame.RECIPIENT, suppress=True)


@pytest.mark.parametrize("code", ["5.7.25", "5.7.26", "5.7.28", "5.7.29", "5.7.515"])
@pytest.mark.parametrize("phase", [RCPT, DATA, BODY])
def test_our_configuration_is_never_the_recipients_fault(phase: Phase, code: str) -> None:
    """Reverse DNS, SPF and DKIM, a flood, DMARC: wait and alarm (checklist 19)."""
    assert verdict(Result(phase, 550, f"{code} no")) == Verdict(LATER, Blame.SETUP)


@given(
    st.builds(
        Result,
        st.sampled_from(Phase),
        st.integers(-1, 1000),
        st.text(max_size=9) | st.from_regex(r"[2-5]\.[0-9]\.[0-9]{1,3} x"),
        st.booleans(),
    )
)
@example(Result(BODY, 500, "5.1.1"))
def test_every_result_has_a_verdict_that_holds_together(result: Result) -> None:
    """It never raises; sent, unknown and given back, and who is suppressed, only where they can be."""
    judged = verdict(result)
    assert (judged.state is State.SENT) == (result.phase is BODY and result.code == 250 and not result.lost)
    assert judged.state in (State.SENT, LATER, FAILED, State.UNKNOWN, BACK)
    assert judged.state is not State.UNKNOWN or result.phase is BODY
    assert (judged.state is BACK) == (judged.blame is Blame.US)
    assert (judged.blame is Blame.NONE) == (judged.state is State.SENT)
    assert not judged.suppress or (judged.state is FAILED and 500 <= result.code <= 599 and not result.lost)
    assert (
        500 <= result.code <= 599 or judged.state is not FAILED or (result.code == 0 or result.phase is Phase.ADDRESS)
    )
