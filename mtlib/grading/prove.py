"""The grader's own score: `python -m mtlib.grading.prove`, which is `make prove`.

For each exercise: the stub earns nothing, the solution passes, every named mistake is rejected and named, every
mutant of the solution is rejected but those listed as right, other right answers pass. What came out is kept in
proof.json with a digest of all that went in; only what has changed since is proved again, unless --all is given.
With --check nothing runs: the exit status says whether the proof is whole and up to date.
"""

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path

from . import search
from .exercise import Exercise, Mistake
from .mutants import mutants_of, survivors
from .run import grade
from .sources import Sources

KEPT = Path(__file__).with_name("proof.json")
_NO_EXCEPTION = ("NotPlain", "Detached")  # something came back, of a wrong kind
SEEDS = (1, 2, 3)  # of which the solution is judged with each, everything else with the first


def proof_of(exercise: Exercise, sources: Sources) -> dict:
    """Everything there is to hold against one exercise and its checks, as counts and as what went wrong."""
    solved = sources.answers(exercise, solved=True)
    slips = mutants_of(sources.solution(exercise))
    equivalent = sources.equivalent(exercise)
    wrong = [mutant for mutant in slips if mutant.change not in equivalent]
    names = sources.names(exercise.id.partition(".")[0], solved=True)
    alive = [mutant.change for mutant in survivors(exercise, wrong, names, SEEDS[:1])]
    others = sources.others(exercise)
    return {
        "digest": sources.digest(exercise),
        "points": exercise.points,
        "solution": min(grade(exercise, solved, seed).earned for seed in SEEDS),
        "stub": grade(exercise, sources.answers(exercise, solved=False), 1).earned,
        "mistakes": len(exercise.mistakes),
        "unnamed": [why for m in exercise.mistakes if (why := unproved(exercise, m))],
        "mutants": len(wrong),
        "alive": alive,
        "equivalent": {change: why for change, why in equivalent.items()},
        "others": len(others),
        "refused": [answer[0].__name__ for answer in others if not grade(exercise, answer, 1, mtlibs_own=True).passed],
    }


def unproved(exercise: Exercise, mistake: Mistake) -> str:
    """Why a mistake is none that the checks refuse by its name; empty for a sound one.

    A function that cannot take the arguments is refused too, and stands for no mistake that a learner makes: what is
    refused for an exception must say so in `raises`.
    """
    report = grade(exercise, mistake.answers, 3, all_points=False, mtlibs_own=True)
    if report.passed:
        return f"{mistake.sentence} (passes)"
    if report.mistake != mistake.sentence:
        return f"{mistake.sentence} (named: {report.mistake})"
    trouble = report.failure[1].trouble
    if trouble is None or trouble.type in _NO_EXCEPTION or mistake.raises in trouble.kinds:
        return ""
    return f"{mistake.sentence} (raises {trouble})"


def faults(proof: dict) -> list[str]:
    """What keeps a proof from being one; empty for a sound one."""
    told = {
        f"the solution earns {proof['solution']} of {proof['points']} points": proof["solution"] != proof["points"],
        f"the stub earns {proof['stub']} points": proof["stub"] != 0,
        f"{proof['others']} other right answers; two are promised": proof["others"] < 2,
    }
    listed = {"not rejected by its name": "unnamed", "mutant that passes": "alive", "right, and refused": "refused"}
    return [fault for fault, holds in told.items() if holds] + [
        f"{what}: {each}" for what, key in listed.items() for each in proof[key]
    ]


def read() -> dict[str, dict]:
    """The kept proofs by exercise id; empty where there are none."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}


def stale(sources: Sources) -> list[str]:
    """The ids of exercises whose proof is missing or older than what it is about."""
    kept = read()
    return [id for id, e in sources.exercises.items() if kept.get(id, {}).get("digest") != sources.digest(e)]


def main(argv: list[str] | None = None) -> int:
    """Prove what has changed, or all of it, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m mtlib.grading.prove", description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="prove every exercise again")
    parser.add_argument("--check", action="store_true", help="prove nothing; fail where a proof is stale or unsound")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    sources = Sources(Path.cwd())
    due = list(sources.exercises) if given.all else stale(sources)
    kept = {id: proof for id, proof in read().items() if id in sources.exercises}
    if not given.check and due:
        search.SHRINK_SECONDS = 0.1  # whether a mistake is caught and named, not how small its case gets
        search.SEARCH_SECONDS = 10.0  # the verdict should not depend on what else the machine does
        global _SOURCES
        _SOURCES = sources
        with multiprocessing.get_context("fork").Pool(given.jobs) as pool:
            for id, proof, seconds in pool.imap_unordered(_prove, due):
                kept[id] = proof
                told = "; ".join(faults(proof)) or "sound"
                print(f"{id}: {proof['mutants'] - len(proof['alive'])}/{proof['mutants']} mutants, {told} ({seconds:.0f} s)")
        text = json.dumps({id: kept[id] for id in sources.exercises}, indent=1, ensure_ascii=False)
        KEPT.write_text(text + "\n", encoding="utf-8")
        due = []
    bad = [f"{id}: {fault}" for id, proof in kept.items() for fault in faults(proof)]
    bad += [f"{id}: stale; run `make prove`" for id in due]
    print("\n".join(bad) or f"all {len(kept)} exercises are proved")
    return 1 if bad else 0


_SOURCES: Sources  # set before the pool is forked


def _prove(id: str) -> tuple[str, dict, float]:
    began = time.monotonic()
    proof = proof_of(_SOURCES.exercises[id], _SOURCES)
    return id, proof, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
