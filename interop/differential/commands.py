"""The commands that are compared: `cases/STATE.txt` has one a line, as typed. `{word}` is a name from the state.

`KEY=VALUE` words in front of the command set the environment, `<FILE` its standard input (`<=TEXT`: the text),
`4>FILE` opens descriptor 4, `tty=TEXT` types TEXT on a terminal at each passphrase prompt, `stop=SECONDS`
ends a command that runs for ever.
"""

from pathlib import Path

STATES = ("sender", "mail", "bad-mail", "clutter", "stick", "bad-stick", "streams", "chunks", "configurations", "logs")
OFFLINE = (
    "ack bundle cfgdir cfgenc cfgmin cfgnew check cronexpr exec file freq hash log pkt reass rm stat toss trns xfer"
).split()
# Each of them is tried with these flags, in the state `sender`.
COMMON = ("-version", "-warranty", "-help", "-h", "-bogus", "-cfg", "-quiet=maybe")


def lines(state: str) -> list[str]:
    path = Path(__file__).with_name("cases") / f"{state}.txt"
    return [line for line in path.read_text().splitlines() if line.strip()]


CASES: dict[str, list[str]] = {state: lines(state) for state in STATES}
CASES["sender"] += [f"{name} {flag}" for name in OFFLINE for flag in COMMON]
