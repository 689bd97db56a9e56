#!/usr/bin/env python3
"""Receipts and evidence, checked by a second implementation, written from docs/formats.md and docs/rules.md alone.

    verify.py TLOG-POLICY FILE...

One line for each file: `ok` and who answers for a breach, each key by name and id, or `refused` and why, whatever the
file holds. Needs the package `cryptography`.
"""

import base64
import hashlib
import json
import math
import re
import sys
import zlib
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519, COSIGNATURE = 1, 4
DAY = 24 * 3600
# The most bytes of each: formats, at the top.
MAX_STATEMENT, MAX_CHECKPOINT, MAX_PROOF = 65535, 128 * 1024, 144 * 1024
MAX_RECEIPT, MAX_EVIDENCE, MAX_POLICY = 256 * 1024, 4 * 1024 * 1024, 64 * 1024
# How far the clocks of two honest witnesses, or signers, may differ: rules.md, 6.
CLOCKS = 120


class Refused(Exception):
    pass


def require(condition, why):
    if not condition:
        raise Refused(why)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


def hash_of(text):
    data = unbase64(text)
    require(len(data) == 32, "a hash that has not 32 bytes")
    return data


def decimal(text):
    require(re.fullmatch("0|[1-9][0-9]{0,18}", text) and int(text) < 1 << 63, "a number that is not canonical")
    return int(text)


def seconds(text):
    require(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text), "a time that is none")
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())


# Notes: formats, section 1.

# The curve of Ed25519: -x² + y² = 1 + D x² y² modulo P.
P = (1 << 255) - 19
D = -121665 * pow(121666, -1, P) % P
# The second coordinates of the points of small order, under which anybody can sign.
ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL = (0, 1, P - 1, ORDER_8, P - ORDER_8)


def second_coordinate(point):
    return (int.from_bytes(point, "little") & ((1 << 255) - 1)) % P


def is_point(point):
    """Whether the curve has a point with this second coordinate, and it is not of small order."""
    y = second_coordinate(point)
    above, below = y * y - 1, D * y * y + 1
    return y not in SMALL and pow(above * below, (P - 1) // 2, P) in (0, 1)


def is_name(text):
    """Whether a key can have this name."""
    return re.fullmatch("[^\\s+\x00-\x1f\x7f-\x9f]+", text) is not None


def is_signer(text):
    """Whether a signature line can have this name: those of strangers may be stranger than those of keys."""
    return re.fullmatch("[^\\s+\x00-\x1f]+", text) is not None


class Key:
    def __init__(self, text, kind=ED25519):
        self.name, identity, rest = text.split("+", 2)
        data = unbase64(rest)
        require(is_name(self.name) and len(data) == 33 and data[0] == kind, "not a key of this kind")
        self.public = data[1:]
        self.identity = sha256(self.name.encode(), b"\n", data)[:4]
        require(self.identity.hex() == identity, "a key with another identity")
        require(is_point(self.public), "a key under which nobody can sign, or anybody")

    def signed(self, signature, message):
        if len(signature) != 64 or second_coordinate(signature[:32]) in SMALL:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
            return True
        except InvalidSignature:
            return False


class Note:
    def __init__(self, lines, most=MAX_STATEMENT):
        for line in lines:
            require("\n" not in line, "a line with a newline in it")
        whole = "".join(line + "\n" for line in lines)
        self.bytes = whole.encode()
        require(len(self.bytes) <= most, "a note that is too large")
        text, cut, signatures = whole.rpartition("\n\n")
        require(cut, "a note without signatures")
        require(not re.search("[\x00-\x09\x0b-\x1f]", text), "a control character in a note")
        self.text = (text + "\n").encode()
        self.signatures = []
        for line in signatures.split("\n")[:-1]:
            dash, name, data = line.split(" ")
            data = unbase64(data)
            is_line = dash == "—" and is_signer(name) and len(data) > 4
            require(is_line, "a signature line that is none")
            self.signatures.append((name, data[:4], data[4:]))
        require(1 <= len(self.signatures) <= 64, "a note without signatures, or with too many")
        self.id = sha256(self.text)

    def by(self, key):
        """Whether `key` signed; wrong signatures by a key that is known are refused."""
        found = False
        for name, identity, signature in self.signatures:
            if (name, identity) == (key.name, key.identity):
                require(key.signed(signature, self.text), f"a wrong signature by {name}")
                found = True
        return found

    def cosigned_at(self, key):
        """When `key` cosigned last; wrong cosignatures by it are refused."""
        latest = None
        for name, identity, data in self.signatures:
            if (name, identity) == (key.name, key.identity):
                time = int.from_bytes(data[:8], "big")
                message = f"cosignature/v1\ntime {time}\n".encode() + self.text
                good = len(data) == 72 and 0 < time < 1 << 63 and key.signed(data[8:], message)
                require(good, f"a wrong cosignature by {name}")
                latest = max(latest or 0, time)
        return latest


# JSON with one form of bytes: formats, section 3. A shape is `str`, `int`, a list of one shape, the fields of an object in
# their order, or what a value must satisfy; a field with ? may be absent.

NEVER = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def fits(value, shape):
    if shape is str:
        return isinstance(value, str) and not NEVER.search(value)
    if shape is int:
        return type(value) is int and 0 <= value < 1 << 53
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if not isinstance(shape, dict):
        return shape(value)
    if not isinstance(value, dict):
        return False
    fields = {name.rstrip("?"): of for name, of in shape.items() if not name.endswith("?") or name[:-1] in value}
    return list(value) == list(fields) and all(fits(value[name], of) for name, of in fields.items())


def canonical(data, shapes):
    """The object that these bytes are; the value of its first field says which shape it has."""
    text = data.decode("utf-8")
    value = json.loads(text)
    kind = next(iter(value.values()), None) if isinstance(value, dict) else None
    require(isinstance(kind, str) and kind in shapes, "none of the kinds that are known here")
    require(fits(value, shapes[kind]), f"not the fields of {kind}, in their order, with values that they can have")
    again = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    require(again == text, "not in the one form that it may have")
    return value


def fields(kind, of, names):
    """A shape whose fields are all of one kind, but for the first, which says what it is."""
    return {kind: str, **{name: of for name in names.split()}}


def text_that(holds):
    """The shape of a text of which this holds."""
    return lambda value: fits(value, str) and holds(value)


def pattern(form, most=MAX_STATEMENT):
    return text_that(lambda text: re.fullmatch(form, text) and len(text) <= most)


def one_of(words):
    return text_that(lambda text: text in words.split())


def set_of(shape):
    """An array in strictly ascending order: texts by their bytes, objects by their fields."""
    order = lambda item: [one.encode() for one in (item.values() if isinstance(item, dict) else [item])]
    ascends = lambda items: all(order(one) < order(other) for one, other in zip(items, items[1:]))
    return lambda value: fits(value, [shape]) and ascends(value)


HASH = text_that(hash_of)
TIME = text_that(lambda text: seconds(text) >= 0)
VKEY = text_that(Key)
SAID = text_that(str.strip)
LIST = pattern("[a-z0-9-][a-z0-9.-]*(/[a-z0-9-]+)+", 128)
JURISDICTION = pattern("[A-Z]{2}(-[A-Z0-9]{1,3})?")
# Algorithms: the bytes of an entry, and the most that a distance may be.
SIZES = {"sha256": 32, "sha1": 20, "md5": 16, "vpdq/v1": 48, "pdq/full": 32}
MOST = {"vpdq/v1": 31, "pdq/full": 31}
ACTIONS = ["warn", "block", "report"]

OBJECT = {"size": int, "sha256": HASH}
CHARTER = {
    **{"statement": str, "list": LIST, "log": text_that(is_name), "edition": int, "previous?": HASH},
    "maintainer": {"name": SAID, "jurisdiction": JURISDICTION, "contact": SAID, "keys": [VKEY]},
    "purpose": {
        **{"code": one_of("csam-known malware ncii other tve"), "aim": one_of("protect-victims prosecute suppress")},
        **{"definition": SAID, "victims": str, "self_generated": str},
        "statutes": set_of({"jurisdiction": JURISDICTION, "instrument": str, "provision": str}),
        "exclusions": set_of(str),
    },
    "reach": {
        "jurisdictions": set_of(JURISDICTION),
        "surfaces": set_of(one_of("end-to-end-encrypted private public")),
    },
    "matching": {"algorithm": one_of(" ".join(SIZES)), "max_distance": int, "min_quality": int},
    "action": {"most": one_of(" ".join(ACTIONS)), "recipients": set_of(str)},
    "curation": {
        **{"threshold": int, "min_jurisdictions": int},
        "curators": [{"name": str, "jurisdiction": JURISDICTION, "key": VKEY}],
    },
    "limits": dict.fromkeys(["max_entries", "max_added", "min_interval", "validity", "min_visibility", "notice"], int),
    "redress": {"complaints": SAID, "removal_deadline": int},
    "record": {
        part: dict.fromkeys([name + "?" for name in names.split()], str)
        for part, names in {
            "legality": "basis authority_notice foreseeability",
            "proportionality": "aim evidence rational_connection alternatives fair_balance reviewer reviewed",
            "privacy": "controller gdpr_basis dpia_sha256 human_review retention transfers",
            "quality": "reviews_per_entry precision recall measured_on interval next_review",
            "accountability": "complaints removal audits",
        }.items()
    },
}
RELEASE = {
    **{"statement": str, "list": LIST, "version": int, "previous?": HASH, "charter": HASH, "created": TIME},
    **{"expires": TIME, "entries": int, "irregular": int, "root": HASH, "added": int, "removed": int},
    **{"snapshot": OBJECT, "deltas": [{"from": int, "release": HASH, **OBJECT}]},
}
ATTESTATION = {
    **{"statement": str, "list": LIST, "release": HASH, "auditor": VKEY},
    **{"method": one_of("canary complaint followed recomputed sampled"), "log_size?": int, "sample?": int},
    **{"errors?": int, "complaint?": {"received": TIME, "commitment": HASH}, "finding": str},
    **{"report?": {"url": str, "sha256": HASH}, "created": TIME},
}
STATEMENTS = {
    "isonomy/charter/v1": CHARTER,
    "isonomy/release/v1": RELEASE,
    "isonomy/attestation/v1": ATTESTATION,
}
RECEIPT = {
    **{"receipt": str, "entry": str, "entry_index": int, "entry_path": str, "release": [str], "release_index": int},
    **{"release_path": str, "charter": [str], "charter_index": int, "charter_path": str, "checkpoint": [str]},
}
FILES = {
    "isonomy/receipt/v1": RECEIPT,
    "isonomy/fork/v1": fields("evidence", [str], "older newer proof"),
    "isonomy/equivocation/v1": fields("evidence", [str], "charter charter_proof first first_proof second second_proof"),
    "isonomy/equivocation/v2": fields(
        "evidence",
        [str],
        "first_charter first_charter_proof first first_proof second_charter second_charter_proof second second_proof",
    ),
    "isonomy/two-editions/v1": fields("evidence", [str], "before? before_proof? first first_proof second second_proof"),
    "isonomy/early-admission/v1": fields(
        "evidence", [str], "before edition edition_proof release release_proof earlier"
    ),
    "isonomy/not-a-statement/v1": {"evidence": str, "entry": str, "proof": [str]},
    "isonomy/logged-twice/v1": fields("evidence", [str], "first first_proof second second_proof"),
    "isonomy/inadmissible/v1": fields(
        "evidence", [str], "statement statement_proof charter? charter_proof? other? other_proof?"
    ),
    "isonomy/wrong-content/v1": {
        **fields("evidence", [str], "charter charter_proof release release_proof"),
        "snapshot": str,
        "base?": {"release": [str], "snapshot": str, "delta": str},
    },
}


# What the values of one statement are to each other: formats, section 4.


def country(jurisdiction):
    return jurisdiction.split("-")[0]


def check_charter(body):
    require(body["edition"] >= 1 and (body["edition"] > 1) == ("previous" in body), "edition, and the one before")
    action, matching, curation, limits = body["action"], body["matching"], body["curation"], body["limits"]
    require((action["most"] == "report") == bool(action["recipients"]), "recipients, exactly of a report")
    most = MOST.get(matching["algorithm"], 0)
    require(matching["max_distance"] <= most, "a distance that the algorithm does not have")
    require(matching["min_quality"] <= (100 if most else 0), "a quality that the algorithm does not have")
    curators, threshold, least = curation["curators"], curation["threshold"], curation["min_jurisdictions"]
    countries = {country(curator["jurisdiction"]) for curator in curators}
    require(1 <= threshold <= len(curators), "a threshold that can't be met")
    require(1 <= least <= min(threshold, len(countries)), "a number of jurisdictions that can't be met")
    require(body["maintainer"]["keys"], "no key of the maintainer")
    public = [key.public for key in keys_of(body)]
    require(len(set(public)) == len(public), "one key for two")
    require(limits["min_visibility"] >= 1 and limits["max_entries"] >= 1, "a limit of zero")
    require(limits["validity"] >= 2 * limits["min_visibility"], "too short a validity")


def check_release(body):
    version = body["version"]
    require(version >= 1 and (version > 1) == ("previous" in body), "version, and the one before")
    require(seconds(body["expires"]) > seconds(body["created"]), "it expires before it is created")
    require(max(body["added"], body["irregular"]) <= body["entries"], "more than there are entries")
    require(version > 1 or (body["removed"] == 0 and body["added"] == body["entries"]), "a first version of another")
    steps = [1 << place for place in range(version.bit_length()) if version % (1 << place) == 0]
    bases = [version - step for step in reversed(steps) if step < version]
    require([delta["from"] for delta in body["deltas"]] == bases, "deltas from other versions")
    require(not bases or body["deltas"][-1]["release"] == body["previous"], "a last delta from another release")


def check_attestation(body):
    method = body["method"]
    has = [("log_size", ["followed"]), ("complaint", ["complaint"])]
    has += [(name, ["canary", "recomputed", "sampled"]) for name in ("sample", "errors")]
    require(all((name in body) == (method in methods) for name, methods in has), "another method's fields")
    require(body.get("errors", 0) <= body.get("sample", 0), "more errors than were looked at")


CHECKS = {
    "isonomy/charter/v1": check_charter,
    "isonomy/release/v1": check_release,
    "isonomy/attestation/v1": check_attestation,
}


def statement_of(note, *kinds):
    body = canonical(note.text, {kind: STATEMENTS[kind] for kind in kinds or STATEMENTS})
    CHECKS[body["statement"]](body)
    return body


def charter_of(note):
    return statement_of(note, "isonomy/charter/v1")


def release_of(note):
    return statement_of(note, "isonomy/release/v1")


def keys_of(charter):
    """The keys that sign under a charter, in its order."""
    return maintainers_of(charter) + [Key(curator["key"]) for curator in charter["curation"]["curators"]]


def maintainers_of(charter):
    return [Key(text) for text in charter["maintainer"]["keys"]]


# The log: formats, sections 2.1, 2.3, 2.6.


def leaf(entry):
    return sha256(b"\x00", entry)


def node(left, right):
    return sha256(b"\x01", left, right)


def included(entry, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    require(0 <= index < size, "no such leaf")
    fn, sn, value = index, size - 1, leaf(entry)
    for sibling in path:
        require(sn != 0, "a proof that is too long")
        if fn & 1 or fn == sn:
            value = node(sibling, value)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0 and value == root, "an inclusion proof that does not lead to the root")


def subtrees(start, end):
    """The complete subtrees that cover the leaves from `start` to before `end`, left to right."""
    while start < end:
        size = start & -start if start else 1 << end.bit_length()
        while start + size > end:
            size >>= 1
        yield start, size
        start += size


def root_of(parts):
    """The root over complete subtrees (start, size, hash), left to right."""
    merged = []
    for start, size, value in parts:
        while merged and merged[-1][1] == size and merged[-1][0] % (2 * size) == 0:
            left = merged.pop()
            start, size, value = left[0], 2 * size, node(left[2], value)
        merged.append((start, size, value))
    value = merged.pop()[2]
    while merged:
        value = node(merged.pop()[2], value)
    return value


def prefix_roots(old, new, hashes):
    places = list(subtrees(0, old)) + list(subtrees(old, new))
    require(len(places) == len(hashes), "a prefix proof of another length")
    parts = [(start, size, value) for (start, size), value in zip(places, hashes)]
    count = len(list(subtrees(0, old)))
    return root_of(parts[:count]) if count else sha256(), root_of(parts)


class Checkpoint:
    def __init__(self, lines):
        self.note = Note(lines, MAX_CHECKPOINT)
        text = self.note.text.decode().split("\n")
        require(len(text) > 3 and "" not in text[:-1], "a checkpoint that lacks a line")
        self.origin, self.size, self.root = text[0], decimal(text[1]), hash_of(text[2])
        require(self.size or self.root == sha256(), "another root than that of an empty tree")


class Witnesses:
    """A set of witnesses, and how many of them must have cosigned."""

    def __init__(self):
        self.witnesses, self.groups, self.members, self.quorum = {}, {}, set(), None

    def define(self, name):
        require(name != "none" and name not in self.witnesses and name not in self.groups, f"the name {name} is taken")
        return name

    def known(self, name):
        require(name in self.witnesses or name in self.groups, f"nobody is called {name}")
        return name

    def witness(self, name, vkey, url=None):
        key = Key(vkey, COSIGNATURE)
        require(key.public not in [known.public for known in self.witnesses.values()], "a witness twice")
        require(len(self.witnesses) < 64, "too many witnesses")
        self.witnesses[self.define(name)] = key

    def group(self, name, threshold, *members):
        count = {"any": 1, "all": len(members)}.get(threshold) or decimal(threshold)
        require(1 <= count <= len(members) and len(self.groups) < 64, "a threshold that can't be met, or too many groups")
        self.define(name)
        for member in members:
            require(self.known(member) not in self.members, f"{member} is a member of a group already")
            self.members.add(member)
        self.groups[name] = (count, members)

    def times(self, checkpoint):
        """(public since, now), as rule 6 has them; one wrong line by any of these witnesses is refused."""
        at = {name: checkpoint.note.cosigned_at(key) for name, key in self.witnesses.items()}
        return None if self.quorum == "none" else self.rank(self.quorum, at)

    def rank(self, name, at):
        if name in at:
            return at[name] and (at[name], at[name])
        threshold, members = self.groups[name]
        times = [time for time in (self.rank(member, at) for member in members) if time]
        if len(times) < threshold:
            return None
        earliest, latest = sorted(time[0] for time in times), sorted((time[1] for time in times), reverse=True)
        return earliest[threshold - 1], latest[threshold - 1]

    def overlap(self, name):
        """How many witnesses any two sets that satisfy this have in common at the least."""
        if name not in self.groups:
            return int(name in self.witnesses)
        threshold, members = self.groups[name]
        return sum(sorted(self.overlap(member) for member in members)[: max(0, 2 * threshold - len(members))])


class Policy:
    """formats, section 2.7."""

    def __init__(self, data):
        require(len(data) <= MAX_POLICY and (not data or data.endswith(b"\n")), "too large, or cut off")
        require(not re.search(b"[\x00-\x08\x0b-\x1f\x7f]", data), "a control character")
        self.logs, self.former = [], []
        self.present = self.read = Witnesses()
        lines = {"log": self.of_log, "quorum": self.of_quorum, "former": self.of_former}
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            word, *items = [item for item in re.split("[ \t]", line) if item] or ["#"]
            if not word.startswith("#"):
                {**lines, "witness": self.read.witness, "group": self.read.group}[word](*items)
        require(self.read.quorum, "no quorum")

    def of_log(self, vkey, url=None):
        key = Key(vkey)
        require(not self.former and len(self.logs) < 32, "a log among former witnesses, or too many logs")
        require(key.public not in [known.public for known in self.logs], "a log twice")
        self.logs.append(key)

    def of_quorum(self, name):
        require(self.read.quorum is None and (name != "none" or not self.former), "a second quorum, or none in the past")
        self.read.quorum = name if name == "none" else self.read.known(name)

    def of_former(self, origin, until):
        require(origin in [key.name for key in self.logs] and len(self.former) < 32, "another log, or too many sets")
        require(self.read.quorum, "no quorum")
        self.read = Witnesses()
        self.former.append((origin, decimal(until), self.read))

    def log(self, checkpoint):
        """The log that signed a checkpoint: the first of those whose lines under it are all good."""
        for key in self.logs:
            if is_of(checkpoint, key):
                return key
        raise Refused("a checkpoint that no log of the policy signed")

    def log_of(self, charter):
        """The log in which a charter counts."""
        logs = [key for key in self.logs if key.name == charter["log"]]
        require(logs, "a charter that counts in no log of the policy")
        return logs[0]

    def times(self, checkpoint):
        """(public since, now), as rule 6 has them, by the present witnesses."""
        return self.present.times(checkpoint) or self._missing()

    def seen(self, checkpoint):
        """The same, of what was seen, when former witnesses count as well."""
        require(self.present.quorum != "none", "nobody vouches for what is public")
        sets = [self.present]
        sets += [read for origin, until, read in self.former if origin == checkpoint.origin and checkpoint.size <= until]
        times = [read.times(checkpoint) for read in sets]
        return min((time for time in times if time), key=lambda time: time[0], default=None) or self._missing()

    def began_at(self, origin):
        return max((until for name, until, _ in self.former if name == origin), default=0)

    def _missing(self):
        raise Refused("too few witnesses cosigned")

    def weak_split(self):
        """How many witnesses any two quorums have in common."""
        return self.present.overlap(self.present.quorum)


def is_of(checkpoint, key):
    try:
        return key.name == checkpoint.origin and checkpoint.note.by(key)
    except Refused:
        return False


def logged(policy, lines, entry, log=None):
    """A tlog-proof of an entry, in this log if one is named: (index, public since, log)."""
    require(len("\n".join(lines).encode()) < MAX_PROOF, "a tlog-proof that is too large")
    require(lines[0] == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    rest = lines[1:]
    if rest[0].startswith("extra "):
        unbase64(rest.pop(0)[6:])
    require(rest[0].startswith("index "), "a tlog-proof without index")
    index, blank = decimal(rest[0][6:]), rest.index("")
    require(blank <= 64, "a tlog-proof with too many hashes")
    checkpoint = Checkpoint(rest[blank + 1 :])
    key = log or policy.log(checkpoint)
    require(is_of(checkpoint, key), "a checkpoint of another log")
    since, _ = policy.seen(checkpoint)
    included(entry, index, checkpoint.size, [hash_of(line) for line in rest[1:blank]], checkpoint.root)
    return index, since, key


# The rules: rules.md, 2 and 4.


def in_order(note, counted):
    """The keys that signed, if every line is by one that counts, one line for each, in their order."""
    signers, at = [], 0
    for name, identity, signature in note.signatures:
        while at < len(counted) and (counted[at].name, counted[at].identity) != (name, identity):
            at += 1
        require(at < len(counted), f"a signature of {name}, which does not count or is out of order")
        require(counted[at].signed(signature, note.text), f"a wrong signature of {name}")
        signers.append(counted[at])
        at += 1
    return signers


def endorsed(release, charter):
    """Rule 2. Gives the keys that signed."""
    body = charter_of(charter)
    maintainer = maintainers_of(body)
    curators = [(Key(curator["key"]), curator["jurisdiction"]) for curator in body["curation"]["curators"]]
    counted = maintainer + [key for key, _ in curators]
    signers = [key.public for key in in_order(release, counted)]
    require(any(key.public in signers for key in maintainer), "no maintainer signed")
    agreed = [country(jurisdiction) for key, jurisdiction in curators if key.public in signers]
    require(len(agreed) >= body["curation"]["threshold"], "too few curators signed")
    require(len(set(agreed)) >= body["curation"]["min_jurisdictions"], "too few jurisdictions signed")
    return [key for key in counted if key.public in signers]


def fewer(old, new):
    """Whether items are gone and the others stand in the order that they had."""
    rest = iter(old)
    return all(item in rest for item in new)


def narrows(old, new):
    """Rule 4: whether the edition differs only by what narrows."""
    allowed = [
        fewer(old["maintainer"]["keys"], new["maintainer"]["keys"]),
        fewer(new["purpose"]["exclusions"], old["purpose"]["exclusions"]),
        fewer(old["reach"]["jurisdictions"], new["reach"]["jurisdictions"]),
        fewer(old["reach"]["surfaces"], new["reach"]["surfaces"]),
        fewer(old["action"]["recipients"], new["action"]["recipients"]),
        fewer(old["curation"]["curators"], new["curation"]["curators"]),
        ACTIONS.index(new["action"]["most"]) <= ACTIONS.index(old["action"]["most"]),
        new["matching"]["max_distance"] <= old["matching"]["max_distance"],
        new["matching"]["min_quality"] >= old["matching"]["min_quality"],
        new["curation"]["threshold"] >= old["curation"]["threshold"],
        new["curation"]["min_jurisdictions"] >= old["curation"]["min_jurisdictions"],
        new["redress"]["removal_deadline"] <= old["redress"]["removal_deadline"],
    ]
    allowed += [new["limits"][name] <= old["limits"][name] for name in ("max_entries", "max_added", "validity")]
    allowed += [new["limits"][name] >= old["limits"][name] for name in ("min_interval", "min_visibility", "notice")]

    def rest(charter):
        rest = json.loads(json.dumps(charter))
        for name in ("edition", "previous", "record", "limits"):
            rest.pop(name, None)
        for part, names in {
            "maintainer": ["keys", "contact"],
            "purpose": ["exclusions"],
            "reach": ["jurisdictions", "surfaces"],
            "action": ["recipients", "most"],
            "matching": ["max_distance", "min_quality"],
            "curation": ["curators", "threshold", "min_jurisdictions"],
            "redress": ["removal_deadline"],
        }.items():
            for name in names:
                rest[part].pop(name)
        return rest

    return all(allowed) and rest(old) == rest(new)


# The files: formats, sections 8 and 9.


def split_path(text):
    data = unbase64(text)
    require(len(data) % 32 == 0 and len(data) <= 63 * 32, "a path that is none")
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def receipt(policy, file):
    checkpoint = Checkpoint(file["checkpoint"])
    policy.log(checkpoint)
    policy.seen(checkpoint)
    release, charter = Note(file["release"]), Note(file["charter"])
    for note, name in ((release, "release"), (charter, "charter")):
        included(note.bytes, file[name + "_index"], checkpoint.size, split_path(file[name + "_path"]), checkpoint.root)
    of_release, of_charter = release_of(release), charter_of(charter)
    is_cited = unbase64(of_release["charter"]) == charter.id and of_release["list"] == of_charter["list"]
    require(is_cited, "the release does not cite the charter of its list")
    require(of_charter["log"] == checkpoint.origin, "the charter counts in another log")
    require(file["charter_index"] < file["release_index"], "the charter was logged after the release")
    endorsed(release, charter)
    path, root, entry = split_path(file["entry_path"]), unbase64(of_release["root"]), unbase64(file["entry"])
    require(len(entry) == SIZES[of_charter["matching"]["algorithm"]], "not an entry of the list's algorithm")
    included(entry, file["entry_index"], of_release["entries"], path, root)
    return []


def fork(policy, file):
    older, newer = Checkpoint(file["older"]), Checkpoint(file["newer"])
    log = policy.log(older)
    require(policy.log(newer) is log, "two logs")
    proof = [hash_of(line) for line in file["proof"]]
    if older.size == newer.size:
        require(not proof and older.root != newer.root, "no contradiction")
    else:
        require(older.size < newer.size, "out of order")
        prefix, whole = prefix_roots(older.size, newer.size, proof)
        require(whole == newer.root and prefix != older.root, "no contradiction")
    return [log]


def text(policy, file, name, charter_name):
    """A release and its charter, both in the log: (note, body, charter's body, log, public since, keys that signed)."""
    charter, release = Note(file[charter_name]), Note(file[name])
    of_charter, body = charter_of(charter), release_of(release)
    log = policy.log_of(of_charter)
    logged(policy, file[charter_name + "_proof"], charter.bytes, log)
    _, since, _ = logged(policy, file[name + "_proof"], release.bytes, log)
    require(unbase64(body["charter"]) == charter.id and body["list"] == of_charter["list"], "another charter")
    return release, body, charter, log, since, endorsed(release, charter)


def two_versions(first, second):
    (one, a, _, log, since, keys), (two, b, _, other, later, others) = first, second
    require(one.id != two.id and log is other, "not two texts in one log")
    require(a["version"] == b["version"] and a["list"] == b["list"], "not two texts for one version")
    both = [key for key in keys if key.public in [known.public for known in others]]
    over = min(seconds(a["created"]), seconds(b["created"])) + DAY
    return both if both and max(since, later) + CLOCKS <= over else [log]


def equivocation(policy, file):
    return two_versions(text(policy, file, "first", "charter"), text(policy, file, "second", "charter"))


def cross_equivocation(policy, file):
    first, second = text(policy, file, "first", "first_charter"), text(policy, file, "second", "second_charter")
    require(first[2].id != second[2].id, "one charter")
    return two_versions(first, second)


def consented(edition, before):
    """Rules 2 and 3: signed as the edition before asks and as it asks itself, and by every key that it adds."""
    charters = [charter_of(note) for note in (edition, before) if note]
    counted = []
    for charter in charters:
        for key in keys_of(charter):
            if (key.name, key.public) not in [(known.name, known.public) for known in counted]:
                counted.append(key)
    # Lines by keys of older editions may stand there, which are not at hand; of a first edition all count.
    def has_signed(key):
        lines = [line for name, identity, line in edition.signatures if (name, identity) == (key.name, key.identity)]
        return any(key.signed(line, edition.text) for line in lines)

    if before:
        signers = [key.public for key in counted if has_signed(key)]
    else:
        signers = [key.public for key in in_order(edition, counted)]
    for charter in charters:
        curation = charter["curation"]
        require(any(Key(text).public in signers for text in charter["maintainer"]["keys"]), "no maintainer signed")
        agreed = [country(c["jurisdiction"]) for c in curation["curators"] if Key(c["key"]).public in signers]
        require(len(agreed) >= curation["threshold"], "too few curators signed")
        require(len(set(agreed)) >= curation["min_jurisdictions"], "too few jurisdictions signed")
    known = [key.public for key in (keys_of(charters[1]) if before else maintainers_of(charters[0]))]
    added = [key.public for key in keys_of(charters[0]) if key.public not in known]
    require(all(key in signers for key in added), "whom the edition adds has not signed")


def two_editions(policy, file):
    first, second = Note(file["first"]), Note(file["second"])
    a, b = charter_of(first), charter_of(second)
    require(first.id != second.id, "one text")
    require(all(a[name] == b[name] for name in ("list", "log", "edition")), "not two texts for one edition")
    log = policy.log_of(a)
    for name, note in (("first", first), ("second", second)):
        logged(policy, file[name + "_proof"], note.bytes, log)
    before = None
    require(("before" in file) == ("before_proof" in file) == (a["edition"] != 1), "the edition before is missing or more")
    if "before" in file:
        before = Note(file["before"])
        old = charter_of(before)
        logged(policy, file["before_proof"], before.bytes, log)
        for charter in (a, b):
            require(unbase64(charter["previous"]) == before.id, "not the next edition")
            require(charter["edition"] == old["edition"] + 1, "not the next edition")
            require(all(charter[name] == old[name] for name in ("list", "log")), "another list or log")
    for note in (first, second):
        consented(note, before)
    return [log]


def early_admission(policy, file):
    before, edition, release = Note(file["before"]), Note(file["edition"]), Note(file["release"])
    old, new = charter_of(before), charter_of(edition)
    require(unbase64(new["previous"]) == before.id, "not the next edition")
    require(unbase64(release_of(release)["charter"]) == edition.id, "the release cites another edition")
    require(not narrows(old, new), "it narrows")
    require(policy.weak_split() > 0, "quorums need not share a witness")
    earlier = Checkpoint(file["earlier"])
    log, (_, now) = policy.log(earlier), policy.times(earlier)
    require(earlier.size >= policy.began_at(earlier.origin), "the earlier checkpoint is from before the witnesses")
    index, _, _ = logged(policy, file["edition_proof"], edition.bytes, log)
    _, since, _ = logged(policy, file["release_proof"], release.bytes, log)
    require(index >= earlier.size, "the edition was in the log already")
    require(since >= now, "a clock may be wrong")
    require(since - now + CLOCKS < old["limits"]["notice"], "the notice may have been over")
    return [log]


# Lists: formats, sections 5.3 and 5.4.


class Unreadable(Exception):
    """An object that no list or change of a list has."""


class Bits:
    def __init__(self, data):
        self.data, self.at, self.size = data, 0, 8 * len(data)

    def take(self, count):
        if self.at + count > self.size:
            raise Unreadable("it ends too early")
        first, last = self.at // 8, (self.at + count + 7) // 8
        value = int.from_bytes(self.data[first:last], "big") >> (8 * last - self.at - count)
        self.at += count
        return value & ((1 << count) - 1)

    def zeros(self, most):
        count = 0
        while not self.take(1):
            count += 1
            if count > most:
                raise Unreadable("a prefix that is too large")
        return count


def packed_bytes(size, count):
    """How many bytes packed entries take."""
    if count == 0:
        return 0
    high = (count - 1).bit_length()
    return (count * (8 * size - high + 1) + (1 << high) - 1 + 7) // 8


def unpack(data, size, count):
    if len(data) != packed_bytes(size, count):
        raise Unreadable("another length")
    if count == 0:
        return []
    high, bits = (count - 1).bit_length(), Bits(data)
    prefix, entries = 0, []
    for _ in range(count):
        prefix += bits.zeros((1 << high) - 1 - prefix)
        entries.append((prefix << (8 * size - high) | bits.take(8 * size - high)).to_bytes(size, "big"))
    if bits.take(bits.size - bits.at):
        raise Unreadable("bits after the last entry")
    if any(one >= other for one, other in zip(entries, entries[1:])):
        raise Unreadable("entries out of order")
    return entries


def snapshot(data, size, count):
    if count >= 1 << 32 or data[:13] != b"isosnap1" + bytes([size]) + count.to_bytes(4, "big"):
        raise Unreadable("another head")
    return unpack(data[13:], size, count)


def removals(code, places, removed):
    """Which places are removed; the code must be the one that a writer makes."""
    top = 1 << 64
    low, span, at, out, gone = 0, top - 1, 8, bytearray(), []
    offset = int.from_bytes(code[:8].ljust(8, b"\0"), "big")

    def carry():
        for place in range(len(out) - 1, -1, -1):
            out[place] = (out[place] + 1) & 255
            if out[place]:
                return

    left = removed
    for place in range(places):
        coming = places - place
        if left == 0 or left == coming:
            if left:
                gone.append(place)
                left -= 1
            continue
        part = span // coming * left
        if offset < part:
            span = part
            gone.append(place)
            left -= 1
        else:
            offset, low, span = offset - part, low + part, span - part
            if low >= top:
                low -= top
                carry()
        while span < 1 << 56:
            out.append(low >> 56)
            low, span = low << 8 & top - 1, span << 8
            offset = (offset << 8 | (code[at] if at < len(code) else 0)) & top - 1
            at += 1
    low += (1 << 56) - 1
    if low >= top:
        low -= top
        carry()
    out.append(low >> 56)
    if bytes(out).rstrip(b"\0") != code:
        raise Unreadable("another code than a writer makes")
    return gone


def applied(old, data, size):
    """What a delta makes of a list: its entries, how many it adds and removes."""
    if data[:13] != b"isodelt1" + bytes([size]) + len(old).to_bytes(4, "big") or len(data) < 21:
        raise Unreadable("another head")
    removed, added = int.from_bytes(data[13:17], "big"), int.from_bytes(data[17:21], "big")
    if removed > len(old):
        raise Unreadable("more is removed than there is")
    packed = packed_bytes(size, added)
    new = unpack(data[21 : 21 + packed], size, added)
    if set(new) & set(old):
        raise Unreadable("an entry is added that is there")
    gone = set(removals(data[21 + packed :], len(old), removed))
    entries = [entry for place, entry in enumerate(old) if place not in gone]
    return sorted(entries + new), added, removed


def hash_in(entry, algorithm):
    """An entry without the number of its video."""
    return entry[16:] if algorithm == "vpdq/v1" else entry


def irregular(entry, algorithm):
    return algorithm in MOST and bin(int.from_bytes(hash_in(entry, algorithm), "big")).count("1") != 128


def wrong(release, algorithm, entries):
    """What is wrong with the content of a release: rule 8."""
    root = root_of([(place, 1, leaf(entry)) for place, entry in enumerate(entries)]) if entries else sha256()
    if root != unbase64(release["root"]):
        return "another root"
    if any(not any(hash_in(entry, algorithm)) for entry in entries):
        return "an entry of zeros"
    if sum(irregular(entry, algorithm) for entry in entries) != release["irregular"]:
        return "another number of irregular entries"
    return None


# What a log admitted, and content: formats, section 9.


def no_number(text):
    raise Refused(f"{text} is no number in JSON")


class Fields(list):
    """The fields of an object, each name with its value, also where one stands twice."""


def plain(value, deep=127):
    """Whether JSON has no more than so many levels, no number beyond doubles, and text that is Unicode."""
    if isinstance(value, (Fields, list)):
        inner = [one for pair in value for one in pair] if isinstance(value, Fields) else value
        return deep > 0 and all(plain(one, deep - 1) for one in inner)
    if isinstance(value, str):
        return not re.search("[\ud800-\udfff]", value)
    return not isinstance(value, (int, float)) or math.isfinite(float(value))


def has_form(data):
    """Whether bytes have the form of a statement, of whichever version."""
    try:
        note = Note(data.decode("utf-8").removesuffix("\n").split("\n"))
        text = note.text.decode("utf-8")
        body = json.loads(text, parse_constant=no_number, object_pairs_hook=Fields)
        is_plain = plain(body)
    except (Refused, ValueError, RecursionError, OverflowError):
        return False
    kind = re.match(r'\{\n  "statement": "(isonomy/[a-z-]+/v[1-9][0-9]*)"', text)
    named = kind is not None and isinstance(body, Fields) and dict(body).get("statement") == kind[1]
    return named and is_plain and note.bytes == data


def not_a_statement(policy, file):
    entry = unbase64(file["entry"])
    _, _, log = logged(policy, file["proof"], entry)
    require(not has_form(entry), "the entry has the form of a statement, maybe of a later format")
    return [log]


def logged_twice(policy, file):
    first, second = Note(file["first"]), Note(file["second"])
    statement_of(first)
    require(first.id == second.id, "two texts")
    here, _, log = logged(policy, file["first_proof"], first.bytes)
    there, _, other = logged(policy, file["second_proof"], second.bytes)
    require(log is other and here < there, "one place, or two logs")
    return [log]


def consent_lacks(edition, before):
    """What an edition lacks whichever is in force: rules 2 and 3. Signatures that don't count here are left out."""
    new, old = charter_of(edition), charter_of(before)
    signers = []
    for key in keys_of(new) + keys_of(old):
        lines = [line[2] for line in edition.signatures if (line[0], line[1]) == (key.name, key.identity)]
        if lines and all(key.signed(line, edition.text) for line in lines):
            signers.append(key.public)
    for charter in (old, new):
        curation = charter["curation"]
        if not any(Key(text).public in signers for text in charter["maintainer"]["keys"]):
            return True
        agreed = [country(c["jurisdiction"]) for c in curation["curators"] if Key(c["key"]).public in signers]
        if len(agreed) < curation["threshold"] or len(set(agreed)) < curation["min_jurisdictions"]:
            return True
    known = [key.public for key in keys_of(old)]
    return any(key.public not in signers for key in keys_of(new) if key.public not in known)


def holds(check, *arguments):
    try:
        check(*arguments)
        return True
    except Refused:
        return False


def over_limits(body, limits):
    validity = max(seconds(body["expires"]) - seconds(body["created"]), 0)
    return body["entries"] > limits["max_entries"] or body["added"] > limits["max_added"] or validity > limits["validity"]


def inadmissible(policy, file):
    note = Note(file["statement"])
    body = statement_of(note)
    index, _, log = logged(policy, file["statement_proof"], note.bytes)
    beside = {}
    for name in ("charter", "other"):
        require((name in file) == (name + "_proof" in file), "a statement goes with its proof")
        if name in file:
            one = Note(file[name])
            at, _, where = logged(policy, file[name + "_proof"], one.bytes)
            require(where is log, "two logs")
            beside[name] = (one, (charter_of if name == "charter" else release_of)(one), at)
    if body["statement"] == "isonomy/attestation/v1":
        require(not beside, "more than is needed")
        key = Key(body["auditor"])
        is_alone = [(line[0], line[1]) for line in note.signatures] == [(key.name, key.identity)]
        require(not (is_alone and key.signed(note.signatures[0][2], note.text)), "it is signed")
        return [log]
    if body["statement"] == "isonomy/charter/v1":
        require("other" not in beside, "more than is needed")
        if body["log"] != log.name:
            return [log]
        if "charter" not in beside:
            require(body["edition"] == 1 and not holds(consented, note, None), "a first edition as it should be")
            return [log]
        before, old, at = beside["charter"]
        require(body.get("previous") and unbase64(body["previous"]) == before.id, "another edition before it")
        same = old["list"] == body["list"] and old["edition"] + 1 == body["edition"]
        same = same and old["matching"]["algorithm"] == body["matching"]["algorithm"] and at < index
        require(not same or consent_lacks(note, before), "an edition as it should be")
        return [log]
    require(body["statement"] == "isonomy/release/v1" and "charter" in beside, "no charter")
    charter, terms, at = beside["charter"]
    require(unbase64(body["charter"]) == charter.id and terms["log"] == log.name, "another charter")
    if at >= index or body["list"] != terms["list"] or not holds(endorsed, note, charter):
        return [log]
    signers = endorsed(note, charter)
    limits = terms["limits"]
    size = SIZES[terms["matching"]["algorithm"]]
    if over_limits(body, limits) or body["entries"] >= 1 << 32 or body["snapshot"]["size"] != 13 + packed_bytes(size, body["entries"]):
        return [log] + signers
    require("other" in beside, "nothing wrong by itself")
    other, known, at = beside["other"]
    require(known["list"] == body["list"] and known["version"] != body["version"], "another list, or the same version")
    if (known["version"] < body["version"]) != (at < index):
        return [log]
    require(known["version"] < body["version"], "a later version")
    follows = "previous" in body and unbase64(body["previous"]) == other.id
    if known["version"] + 1 == body["version"] and not follows:
        return [log]
    passed = seconds(body["created"]) - seconds(known["created"])
    is_soon = known["added"] > 0 and body["added"] > 0 and passed < limits["min_interval"]
    require(passed < 0 or is_soon, "nothing wrong beside the other release")
    return [log] + (signers if follows else [])


def named(data, reference):
    require(len(data) == reference["size"] and sha256(data) == unbase64(reference["sha256"]), "another object")
    return data


def wrong_content(policy, file):
    release, body, charter, log, _, keys = text(policy, file, "release", "charter")
    by = [log] + keys
    algorithm = charter_of(charter)["matching"]["algorithm"]
    size = SIZES[algorithm]
    data = named(unbase64(file["snapshot"]), body["snapshot"])
    base = file.get("base")
    try:
        entries = snapshot(data, size, body["entries"])
        problem = wrong(body, algorithm, entries)
    except Unreadable as error:
        entries, problem = [], str(error)
    require(bool(problem) == (base is None), "the snapshot is as it should be, or the delta is not judged")
    if problem:
        return by
    earlier = Note(base["release"])
    old = release_of(earlier)
    references = [one for one in body["deltas"] if unbase64(one["release"]) == earlier.id]
    require(references, "no delta from the earlier release")
    if references[0]["from"] != old["version"]:
        return by
    try:
        known = snapshot(named(unbase64(base["snapshot"]), old["snapshot"]), size, old["entries"])
    except Unreadable as error:
        raise Refused("the earlier content can't be read") from error
    require(not wrong(old, algorithm, known), "the earlier content is wrong")
    delta = named(unbase64(base["delta"]), references[0])
    try:
        made, added, removed = applied(known, delta, size)
    except Unreadable:
        return by
    counts = (added, removed) == (body["added"], body["removed"]) or old["version"] + 1 != body["version"]
    require(made != entries or not counts, "the delta is as it should be")
    return by


KINDS = {
    "isonomy/not-a-statement/v1": not_a_statement,
    "isonomy/logged-twice/v1": logged_twice,
    "isonomy/inadmissible/v1": inadmissible,
    "isonomy/wrong-content/v1": wrong_content,
    "isonomy/fork/v1": fork,
    "isonomy/equivocation/v1": equivocation,
    "isonomy/equivocation/v2": cross_equivocation,
    "isonomy/two-editions/v1": two_editions,
    "isonomy/early-admission/v1": early_admission,
}


def unpacked(data):
    """What a receipt under gzip holds: one member without flags, and nothing after it. Other files as they are."""
    if not data.startswith(b"\x1f\x8b\x08\x00"):
        return data
    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    text = member.decompress(data, MAX_RECEIPT + 1)
    require(len(text) <= MAX_RECEIPT, "too large")
    require(member.eof and not member.unused_data, "cut off under gzip, or something follows it")
    return text


def check(policy, path):
    with open(path, "rb") as file:
        data = file.read(MAX_EVIDENCE + 1)
    require(len(data) <= MAX_EVIDENCE, "too large")
    text = unpacked(data)
    document = canonical(text, FILES)
    if "receipt" in document:
        require(max(len(data), len(text)) <= MAX_RECEIPT, "too large")
        return receipt(policy, document)
    require(text is data, "evidence under gzip")
    return KINDS[document["evidence"]](policy, document)


# What reading and checking raise of a file that is none, is damaged, or proves nothing.
FAILURES = (Refused, OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, zlib.error)


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        asked = len(sys.argv) == 2 and sys.argv[1] in ("-h", "--help")
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with open(sys.argv[1], "rb") as file:
            policy = Policy(file.read(MAX_POLICY + 1))
    except FAILURES as error:
        sys.exit(f"{sys.argv[1]}: {error}: the policy is refused")
    for path in sys.argv[2:]:
        try:
            print("ok", *(f"{key.name} ({key.identity.hex()})" for key in check(policy, path)))
        except FAILURES as error:
            print("refused", NEVER.sub(" ", str(error)))


if __name__ == "__main__":
    main()
