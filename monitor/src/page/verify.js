// Checks a receipt, a proof, a bundle or a piece of evidence, with nothing but this browser's own Ed25519 and SHA-256.
//
// It was written from docs/formats.md and docs/rules.md, apart from the Rust that the rest of Isonomy uses: a second
// opinion. It sends nothing and loads nothing. Read from top to bottom: bytes; notes and keys; whom you trust; Merkle
// trees; statements; and, last, what each kind of file proves.
//
//   const answer = await Isonomy.verify([{ name, bytes }], policyText);
//   // { ok: true, kind, says: [sentence] }   or   { ok: false, checked, reason }: of what is not checked, nothing is said

'use strict';

const Isonomy = (() => {
  /** Why a file proves nothing. */
  class Refused extends Error {}
  /** Why a file is not judged here, which says nothing against it. */
  class NotChecked extends Refused {}
  const refuse = (reason) => { throw new Refused(reason); };
  const demand = (condition, reason) => { if (!condition) refuse(reason); };

  // Bytes ------------------------------------------------------------------------------------------------------------

  // formats, at the top: the most bytes of each.
  const MAX_FILE = 4 * 1024 * 1024, MAX_RECEIPT = 256 * 1024, MAX_BUNDLE = 2 * 1024 * 1024, MAX_POLICY = 64 * 1024;
  const MAX_STATEMENT = 65535, MAX_CHECKPOINT = 128 * 1024, MAX_PROOF = MAX_CHECKPOINT + 16 * 1024;
  const utf8 = (text) => new TextEncoder().encode(text);
  const concat = (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
    return all;
  };
  const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

  /** Refuses a text of more than `most` bytes. */
  const limit = (text, most, what) => demand(text.length <= most && utf8(text).length <= most, `${what} is too large`);

  /** The bytes of a file as text; every byte counts. */
  const textOf = (bytes, what) => {
    demand(bytes.length <= MAX_FILE, `${what} is too large`);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return refuse(`${what} is not text`);
    }
  };

  /** Standard base64, padded, in its one form. */
  const fromBase64 = (text, what) => {
    let bytes;
    try {
      bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    } catch {
      return refuse(`${what} is not base64`);
    }
    const back = toBase64(bytes);
    demand(back === text, `${what} is not base64 in its one form`);
    return bytes;
  };
  const hashOf = (text, what) => {
    const bytes = fromBase64(text, what);
    demand(bytes.length === 32, `${what} is not a hash of 32 bytes`);
    return bytes;
  };
  const hashesOf = (text, what) => {
    const bytes = fromBase64(text, what);
    demand(bytes.length % 32 === 0 && bytes.length <= 63 * 32, `${what} is not a row of hashes`);
    return Array.from({ length: bytes.length / 32 }, (_, at) => bytes.slice(32 * at, 32 * at + 32));
  };
  /** A number as C2SP writes it: digits, no leading zero. */
  const decimal = (text, what) => {
    demand(/^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) < 1n << 63n, `${what} is not a number`);
    return BigInt(text);
  };
  const LAST_SECOND = 253_402_300_799n;
  /** RFC 3339, to the second; what is after the year 9999 as its last second. */
  const shownTime = (seconds) =>
    new Date(Number(seconds < LAST_SECOND ? seconds : LAST_SECOND) * 1000).toISOString().replace('.000Z', 'Z');

  // Notes and keys (C2SP signed-note) --------------------------------------------------------------------------------

  const ED25519 = 0x01, COSIGNATURE = 0x04;

  // The curve: -x² + y² = 1 + D x² y² modulo P. Under a key of small order, one of five y, anybody can sign.
  const P = (1n << 255n) - 19n;
  const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
  const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
  const SMALL = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8];
  const yOf = (bytes) => (BigInt(`0x${hex(bytes.slice().reverse())}`) & ((1n << 255n) - 1n)) % P;
  const isSmall = (bytes) => SMALL.includes(yOf(bytes));
  const power = (base, exponent) => {
    let [result, square] = [1n, base % P];
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = (result * square) % P;
      square = (square * square) % P;
    }
    return result;
  };
  const judged = new Map();
  /** Whether the curve has a point with this y, and it is not of small order. */
  const isPoint = (bytes) => {
    const name = hex(bytes);
    if (!judged.has(name)) {
      const y = yOf(bytes);
      const ratio = ((y * y - 1n + P) % P) * ((D * y * y + 1n) % P);
      judged.set(name, !SMALL.includes(y) && power(ratio, (P - 1n) / 2n) <= 1n);
    }
    return judged.get(name);
  };

  // Names hold no white space, no control character and no plus sign.
  const NAME = /^[^\p{White_Space}\p{Cc}+]+$/u;

  // The name of a signature line: a stranger's may hold more than a key's here.
  const SIGNER = /^[^\p{White_Space}\u0000-\u001f+]+$/u;

  /** A public key: name+hex(id)+base64(type, key). */
  const parseKey = async (text, type) => {
    const [, name, id, material] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) ?? refuse(`${text} is not a key`);
    demand(NAME.test(name), `${text} is not a key`);
    const bytes = fromBase64(material, `the key of ${name}`);
    demand(bytes.length === 33, `${text} is not a key`);
    demand(bytes[0] === type, `the key of ${name} is of another type than is needed here`);
    const computed = (await sha256(concat(utf8(name), utf8('\n'), bytes))).slice(0, 4);
    demand(hex(computed) === id, `the id of the key of ${name} does not belong to it`);
    demand(isPoint(bytes.slice(1)), `the key of ${name} is invalid or weak`);
    const key = await crypto.subtle.importKey('raw', bytes.slice(1), 'Ed25519', false, ['verify'])
      .catch(() => refuse(`this browser can't use the key of ${name}; it needs Ed25519 in WebCrypto`));
    return { name, id: computed, raw: hex(bytes.slice(1)), key };
  };
  /** A key in words: anybody can give one any name, the id is of the key and its name. */
  const called = (key) => `${key.name} (${hex(key.id)})`;
  const signedBy = async (key, signature, message) =>
    signature.length === 64 && !isSmall(signature.slice(0, 32))
    && crypto.subtle.verify('Ed25519', key.key, signature, message);

  /** A note: text, and signature lines after the last empty line. Nothing of it is believed yet. */
  const parseNote = (whole, what, most = MAX_STATEMENT) => {
    limit(whole, most, what);
    const cut = whole.lastIndexOf('\n\n');
    demand(cut >= 0 && whole.endsWith('\n'), `${what} has no signature lines`);
    const [text, rest] = [whole.slice(0, cut + 1), whole.slice(cut + 2)];
    demand(!/[\u0000-\u0009\u000b-\u001f]/.test(text), `${what} holds a control character`);
    const lines = rest.split('\n').slice(0, -1).map((line) => {
      const match = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? refuse(`${what}: a line is no signature line`);
      demand(SIGNER.test(match[1]), `${what}: a line is no signature line`);
      const bytes = fromBase64(match[2], `${what}: a signature`);
      demand(bytes.length > 4, `${what}: a signature is too short`);
      return { name: match[1], id: bytes.slice(0, 4), bytes: bytes.slice(4) };
    });
    demand(lines.length >= 1 && lines.length <= 64, `${what} has no signature, or too many`);
    return { text, lines, whole };
  };
  const isBy = (key, line) => key.name === line.name && equal(key.id, line.id);

  // Whom you trust (C2SP tlog-policy) --------------------------------------------------------------------------------

  const parsePolicy = async (text) => {
    limit(text, MAX_POLICY, 'the policy');
    demand(text.endsWith('\n'), 'the last line of the policy has no newline at its end; it may be cut off');
    demand(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text), 'the policy holds a control character');
    const policy = { logs: [], witnesses: [], groups: 0, quorum: null, former: [] };
    const few = (count, most, what) => demand(count < most, `the policy has more than ${most} ${what}`);
    // What the lines are about: the present witnesses, then former ones, who count for what was seen until the log had so many
    // entries. Names are those of one such part.
    let set = policy;
    let names = new Map();
    const define = (name, node) => {
      demand(name !== 'none' && !names.has(name), `the policy uses the name ${name} twice`);
      names.set(name, node);
    };
    for (const line of text.split('\n')) {
      const items = line.split(/[ \t]/).filter((item) => item !== '');
      if (items.length === 0 || items[0].startsWith('#')) continue;
      if (items[0] === 'log' && [2, 3].includes(items.length) && set === policy) {
        few(policy.logs.length, 32, 'logs');
        policy.logs.push(await parseKey(items[1], ED25519));
      } else if (items[0] === 'witness' && [3, 4].includes(items.length)) {
        few(set.witnesses.length, 64, 'witnesses');
        define(items[1], { witness: set.witnesses.length });
        set.witnesses.push(await parseKey(items[2], COSIGNATURE));
      } else if (items[0] === 'group' && items.length >= 4) {
        few(set.groups, 64, 'groups');
        set.groups += 1;
        const members = items.slice(3).map((name) => {
          const node = names.get(name) ?? refuse(`the policy has no witness or group ${name}`);
          demand(!node.used, `the policy uses ${name} in two groups`);
          node.used = true;
          return node;
        });
        const k = new Map([['all', members.length], ['any', 1]]).get(items[2]) ?? Number(decimal(items[2], 'a threshold'));
        demand(k >= 1 && k <= members.length, 'a threshold of the policy can’t be met');
        define(items[1], { k, members });
      } else if (items[0] === 'quorum' && items.length === 2) {
        demand(set.quorum === null, 'the policy has two quorums');
        demand(items[1] !== 'none' || set === policy, 'the policy asks for no former witness');
        set.quorum = items[1] === 'none' ? NOBODY : names.get(items[1]) ?? refuse(`the policy has no witness or group ${items[1]}`);
      } else if (items[0] === 'former' && items.length === 3) {
        demand(policy.logs.some((log) => log.name === items[1]), `the policy names no log ${items[1]}`);
        few(policy.former.length, 32, 'sets of former witnesses');
        set = { origin: items[1], until: decimal(items[2], 'a number of entries'), witnesses: [], groups: 0, quorum: null };
        policy.former.push(set);
        names = new Map();
      } else refuse(`a line of the policy is not understood: ${line}`);
    }
    demand(policy.logs.length > 0, 'the policy names no log');
    for (const { quorum } of [policy, ...policy.former]) demand(quorum !== null, 'the policy names no quorum');
    for (const keys of [policy.logs, policy.witnesses, ...policy.former.map((former) => former.witnesses)]) {
      demand(new Set(keys.map((key) => key.raw)).size === keys.length, 'one key stands twice in the policy');
    }
    return policy;
  };
  /** `quorum none`: nobody is asked, and so nobody vouches for any time. */
  const NOBODY = { k: 0, members: [] };

  /** The k-th smallest time of each group: since then a quorum vouches. `undefined` without a quorum. */
  const rank = (node, times, order) => {
    if (node.witness !== undefined) return times.get(node.witness);
    const ranked = node.members.map((member) => rank(member, times, order)).filter((time) => time !== undefined);
    return ranked.sort(order)[node.k - 1];
  };
  /** How many witnesses two quorums share at the least. */
  const overlap = (node) => {
    if (node.witness !== undefined) return 1;
    const cheapest = node.members.map(overlap).sort((a, b) => a - b);
    const shared = Math.max(0, 2 * node.k - node.members.length);
    return cheapest.slice(0, shared).reduce((sum, one) => sum + one, 0);
  };

  // Checkpoints (C2SP tlog-checkpoint, tlog-cosignature) -------------------------------------------------------------

  /** A checkpoint that a log of the policy signed: the first of those whose lines under it are all good. */
  const parseCheckpoint = async (policy, whole, what = 'the checkpoint') => {
    const note = parseNote(whole, what, MAX_CHECKPOINT);
    const [origin, size, root, ...extensions] = note.text.slice(0, -1).split('\n');
    demand(root !== undefined && !extensions.includes(''), `${what} lacks a line`);
    const tree = { size: decimal(size, `the size of ${what}`), root: hashOf(root, `the root of ${what}`) };
    demand(tree.size > 0n || equal(tree.root, await sha256(new Uint8Array())), `${what} is of an empty tree, and its root is not`);
    const candidates = policy.logs.filter((key) => key.name === origin);
    demand(candidates.length > 0, `${what} is of the log ${origin}, which the policy does not name`);
    let problem = `${what} is not signed by the log`;
    for (const log of candidates) {
      const lines = note.lines.filter((line) => isBy(log, line));
      const good = await Promise.all(lines.map((line) => signedBy(log, line.bytes, utf8(note.text))));
      if (lines.length > 0 && good.every(Boolean)) return { note, log, origin, ...tree };
      if (lines.length > 0) problem = `the log’s signature on ${what} is wrong`;
    }
    return refuse(problem);
  };
  /** What of the policy is about one log. */
  const ofLog = (policy, log) => ({ ...policy, logs: [log] });

  /** Since when, and until when, a quorum of witnesses vouches for a checkpoint. */
  const witnessed = async (set, checkpoint, what = 'the checkpoint') => {
    demand(set.quorum !== NOBODY, 'the policy asks for no witness, so nothing vouches for what is public');
    const times = await cosigned(set, checkpoint, what);
    return timesOf(set, times) ?? refuse(`${times.size} of ${set.witnesses.length} witnesses cosigned ${what}, which is no quorum`);
  };
  /** When each of the witnesses cosigned; one wrong line by any of them is refused. */
  const cosigned = async (set, { note }, what) => {
    const times = new Map();
    for (const [index, witness] of set.witnesses.entries()) {
      for (const line of note.lines.filter((candidate) => isBy(witness, candidate))) {
        demand(line.bytes.length === 72, `the cosignature of ${witness.name} on ${what} has the wrong length`);
        const time = new DataView(line.bytes.buffer, line.bytes.byteOffset, 8).getBigUint64(0);
        const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
        const good = time > 0n && time < 1n << 63n && await signedBy(witness, line.bytes.slice(8), message);
        demand(good, `the cosignature of ${witness.name} on ${what} is wrong`);
        if (!(times.get(index) >= time)) times.set(index, time);
      }
    }
    return times;
  };
  const timesOf = (set, times) => {
    const ascending = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const earliest = rank(set.quorum, times, ascending);
    const latest = rank(set.quorum, times, (a, b) => ascending(b, a));
    return earliest === undefined ? null : { earliest, latest, count: times.size, total: set.witnesses.length };
  };

  /** The same, of what was seen: the word of former witnesses counts up to the tree where others took over. */
  const seen = async (policy, checkpoint, what = 'the checkpoint') => {
    const { origin, size } = checkpoint;
    demand(policy.quorum !== NOBODY, 'the policy asks for no witness, so nothing vouches for what is public');
    let first = null;
    for (const set of [policy, ...policy.former.filter((former) => former.origin === origin && size <= former.until)]) {
      const times = timesOf(set, await cosigned(set, checkpoint, what));
      if (times !== null && !(first?.earliest <= times.earliest)) first = times;
    }
    return first ?? witnessed(policy, checkpoint, what);
  };
  /** How many entries the log had when the present witnesses took over. */
  const beganAt = (policy, origin) =>
    policy.former.filter((set) => set.origin === origin).reduce((most, { until }) => (until > most ? until : most), 0n);

  // Merkle trees (RFC 9162) ------------------------------------------------------------------------------------------

  const leafHash = (entry) => sha256(concat([0], entry));
  const nodeHash = (left, right) => sha256(concat([1], left, right));

  /** Section 2.1.3.2: that `leaf` is at `index` of the tree with this size and root. */
  const included = async (leaf, index, size, path, root, what) => {
    demand(index < size, `${what}: there is no place ${index} among ${size}`);
    let [position, last, hash] = [index, size - 1n, leaf];
    for (const sibling of path) {
      demand(last > 0n, `${what}: the proof is too long`);
      if (position % 2n === 1n || position === last) {
        hash = await nodeHash(sibling, hash);
        while (position % 2n === 0n && position !== 0n) [position, last] = [position >> 1n, last >> 1n];
      } else {
        hash = await nodeHash(hash, sibling);
      }
      [position, last] = [position >> 1n, last >> 1n];
    }
    demand(last === 0n, `${what}: the proof is too short`);
    demand(equal(hash, root), `${what}: the proof does not lead to the root`);
  };

  /** The largest complete subtrees that make up the leaves from `start` to `end`: their levels. */
  const subtrees = (start, end) => {
    const levels = [];
    for (let at = start; at < end;) {
      let level = 0n;
      while (at % (2n << level) === 0n && at + (2n << level) <= end) level += 1n;
      levels.push(level);
      at += 1n << level;
    }
    return levels;
  };

  /** The roots of the first `old` leaves and of all `size`, from the hashes of the subtrees that both consist of. */
  const prefixRoots = async (old, size, hashes) => {
    const levels = [...subtrees(0n, old), ...subtrees(old, size)];
    demand(levels.length === hashes.length, 'the proof has not as many hashes as it must have');
    const stack = [];
    const root = async () => {
      if (stack.length === 0) return sha256(new Uint8Array());
      let hash = stack[stack.length - 1].hash;
      for (let at = stack.length - 2; at >= 0; at -= 1) hash = await nodeHash(stack[at].hash, hash);
      return hash;
    };
    let [leaves, oldRoot] = [0n, old === 0n ? await root() : null];
    for (const [at, level] of levels.entries()) {
      let node = { level, hash: hashes[at] };
      while (stack.length > 0 && stack[stack.length - 1].level === node.level) {
        node = { level: node.level + 1n, hash: await nodeHash(stack.pop().hash, node.hash) };
      }
      stack.push(node);
      leaves += 1n << level;
      if (leaves === old) oldRoot = await root();
    }
    return [oldRoot, await root()];
  };

  // JSON with one form of bytes, and the statements in it ------------------------------------------------------------

  // A shape: 's' a string, 'n' a number, [x] a list of x, {…} an object of these fields in their order, where a name with ? may
  // be absent; or a function that refuses values.
  const textThat = (holds, name) => (value, what) => {
    checkShape(value, 's', what);
    demand(holds(value), `${what} is not ${name}`);
  };
  const instant = (time, what) => {
    const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(time) ? Date.parse(time) : NaN;
    // What `Date` takes and would write otherwise, the 30th of February for one, is no time.
    demand(ms >= 0 && new Date(ms).toISOString() === time.replace('Z', '.000Z'), `${what} is not a time`);
    return BigInt(ms / 1000);
  };
  const HASH = (value, what) => { checkShape(value, 's', what); hashOf(value, what); };
  const TIME = (value, what) => { checkShape(value, 's', what); instant(value, what); };
  const SAID = textThat((value) => /\P{White_Space}/u.test(value), 'said');
  const LIST = textThat((value) => value.length <= 128 && /^[a-z0-9-][a-z0-9.-]*(\/[a-z0-9-]+)+$/.test(value), 'the name of a list');
  const JURISDICTION = textThat((value) => /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(value), 'a jurisdiction');
  const oneOf = (...words) => textThat((value) => words.includes(value), `one of ${words.join(', ')}`);
  /** Below 0 if `a` stands before `b` in a set: texts by their bytes, objects by their fields. */
  const order = (a, b) => {
    if (typeof a !== 'string') return Object.keys(a).map((name) => order(a[name], b[name])).find((one) => one !== 0) ?? 0;
    const [x, y] = [utf8(a), utf8(b)];
    const at = x.findIndex((byte, place) => byte !== y[place]);
    return at < 0 ? x.length - y.length : x[at] - (y[at] ?? -1);
  };
  const setOf = (shape) => (value, what) => {
    checkShape(value, [shape], what);
    demand(value.every((item, at) => at === 0 || order(value[at - 1], item) < 0), `${what} is not a set in ascending order`);
  };

  // Algorithms: the bytes of an entry, and the most that a distance may be.
  const ALGORITHMS = new Map([['sha256', [32, 0]], ['sha1', [20, 0]], ['md5', [16, 0]], ['vpdq/v1', [48, 31]], ['pdq/full', [32, 31]]]);
  const ACTIONS = ['warn', 'block', 'report'];
  const said = (...names) => Object.fromEntries(names.map((name) => [`${name}?`, 's']));
  const OBJECT = { size: 'n', sha256: HASH };
  const CHARTER = {
    statement: 's', list: LIST, log: textThat((value) => NAME.test(value), 'the name of a log'), edition: 'n', 'previous?': HASH,
    maintainer: { name: SAID, jurisdiction: JURISDICTION, contact: SAID, keys: ['s'] },
    purpose: {
      code: oneOf('csam-known', 'malware', 'ncii', 'other', 'tve'), aim: oneOf('protect-victims', 'prosecute', 'suppress'),
      definition: SAID, victims: 's', self_generated: 's',
      statutes: setOf({ jurisdiction: JURISDICTION, instrument: 's', provision: 's' }), exclusions: setOf('s'),
    },
    reach: { jurisdictions: setOf(JURISDICTION), surfaces: setOf(oneOf('end-to-end-encrypted', 'private', 'public')) },
    matching: { algorithm: oneOf(...ALGORITHMS.keys()), max_distance: 'n', min_quality: 'n' },
    action: { most: oneOf(...ACTIONS), recipients: setOf('s') },
    curation: { threshold: 'n', min_jurisdictions: 'n', curators: [{ name: 's', jurisdiction: JURISDICTION, key: 's' }] },
    limits: { max_entries: 'n', max_added: 'n', min_interval: 'n', validity: 'n', min_visibility: 'n', notice: 'n' },
    redress: { complaints: SAID, removal_deadline: 'n' },
    record: {
      legality: said('basis', 'authority_notice', 'foreseeability'),
      proportionality: said('aim', 'evidence', 'rational_connection', 'alternatives', 'fair_balance', 'reviewer', 'reviewed'),
      privacy: said('controller', 'gdpr_basis', 'dpia_sha256', 'human_review', 'retention', 'transfers'),
      quality: said('reviews_per_entry', 'precision', 'recall', 'measured_on', 'interval', 'next_review'),
      accountability: said('complaints', 'removal', 'audits'),
    },
  };
  const RELEASE = {
    statement: 's', list: LIST, version: 'n', 'previous?': HASH, charter: HASH, created: TIME, expires: TIME, entries: 'n',
    irregular: 'n', root: HASH, added: 'n', removed: 'n', snapshot: OBJECT,
    deltas: [{ from: 'n', release: HASH, size: 'n', sha256: HASH }],
  };
  const ATTESTATION = {
    statement: 's', list: LIST, release: HASH, auditor: 's',
    method: oneOf('canary', 'complaint', 'followed', 'recomputed', 'sampled'), 'log_size?': 'n', 'sample?': 'n', 'errors?': 'n',
    'complaint?': { received: TIME, commitment: HASH }, finding: 's', 'report?': { url: 's', sha256: HASH }, created: TIME,
  };
  const RECEIPT = {
    receipt: 's', entry: 's', entry_index: 'n', entry_path: 's', release: ['s'], release_index: 'n', release_path: 's',
    charter: ['s'], charter_index: 'n', charter_path: 's', checkpoint: ['s'],
  };
  const FORK = { evidence: 's', older: ['s'], newer: ['s'], proof: ['s'] };
  const EQUIVOCATION = {
    evidence: 's', charter: ['s'], charter_proof: ['s'], first: ['s'], first_proof: ['s'], second: ['s'], second_proof: ['s'],
  };
  const CROSS = {
    evidence: 's', first_charter: ['s'], first_charter_proof: ['s'], first: ['s'], first_proof: ['s'],
    second_charter: ['s'], second_charter_proof: ['s'], second: ['s'], second_proof: ['s'],
  };
  const EDITIONS = {
    evidence: 's', 'before?': ['s'], 'before_proof?': ['s'], first: ['s'], first_proof: ['s'], second: ['s'], second_proof: ['s'],
  };
  const EARLY = {
    evidence: 's', before: ['s'], edition: ['s'], edition_proof: ['s'], release: ['s'], release_proof: ['s'], earlier: ['s'],
  };

  const NOT_A_STATEMENT = { evidence: 's', entry: 's', proof: ['s'] };
  const TWICE = { evidence: 's', first: ['s'], first_proof: ['s'], second: ['s'], second_proof: ['s'] };
  const INADMISSIBLE = {
    evidence: 's', statement: ['s'], statement_proof: ['s'], 'charter?': ['s'], 'charter_proof?': ['s'], 'other?': ['s'], 'other_proof?': ['s'],
  };

  const checkShape = (value, shape, what) => {
    if (shape === 's') {
      demand(typeof value === 'string', `${what} is not a string`);
      demand(!/\p{Cs}/u.test(value), `${what} is not Unicode`);
      demand(!/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(value), `${what} holds a control character`);
    } else if (shape === 'n') {
      demand(Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0), `${what} is not a number from 0`);
    } else if (typeof shape === 'function') {
      shape(value, what);
    } else if (Array.isArray(shape)) {
      demand(Array.isArray(value), `${what} is not a list`);
      value.forEach((item) => checkShape(item, shape[0], what));
    } else {
      demand(value !== null && typeof value === 'object' && !Array.isArray(value), `${what} is not an object`);
      const present = Object.keys(shape).filter((key) => !key.endsWith('?') || key.slice(0, -1) in value);
      const names = present.map((key) => key.replace(/\?$/, ''));
      demand(JSON.stringify(Object.keys(value)) === JSON.stringify(names), `${what} has not the fields that it must have, in their order`);
      present.forEach((key, at) => checkShape(value[names[at]], shape[key], `${what}, ${names[at]}`));
    }
  };
  /** JSON of this shape, in its one form: other bytes are refused even where they would mean the same. */
  const parseJson = (text, shape, what) => {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return refuse(`${what} is not JSON`);
    }
    checkShape(value, shape, what);
    demand(`${JSON.stringify(value, null, 2)}\n` === text, `${what} is not in the one form that it may have`);
    return value;
  };

  const isPacked = (bytes) => [0x1f, 0x8b, 8, 0].every((byte, at) => bytes[at] === byte);

  /** What a receipt under gzip holds; other files as they are. */
  const unpacked = async (bytes, name) => {
    if (!isPacked(bytes)) return bytes;
    demand(bytes.length <= MAX_RECEIPT, `${name} is too large`);
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
    const parts = [];
    for (let size = 0; ;) {
      const { done, value } = await reader.read().catch(() => refuse(`${name} is damaged under gzip`));
      if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
      size += value.length;
      demand(size <= MAX_RECEIPT, `${name} is too large`);
      parts.push(value);
    }
  };

  const textOfLines = (lines) => lines.map((line) => `${line}\n`).join('');

  const country = (jurisdiction) => jurisdiction.split('-')[0];

  const parseCharter = async (whole) => {
    const note = parseNote(whole, 'the charter');
    const body = parseJson(note.text, CHARTER, 'the charter');
    demand(body.statement === 'isonomy/charter/v1', 'what should be a charter is none');
    demand(body.edition >= 1 && (body.edition > 1) === ('previous' in body), 'the charter’s edition and the one before do not fit');
    const { maintainer, curation, action, matching, limits } = body;
    demand((action.most === 'report') === (action.recipients.length > 0), 'the charter names recipients, or none, against its action');
    const most = ALGORITHMS.get(matching.algorithm)[1];
    demand(matching.max_distance <= most, 'the charter’s distance is greater than its algorithm allows');
    demand(matching.min_quality <= (most > 0 ? 100 : 0), 'the charter’s quality is more than its algorithm has');
    demand(limits.min_visibility >= 1 && limits.max_entries >= 1, 'the charter has a limit of zero');
    demand(limits.validity >= 2 * limits.min_visibility, 'the charter’s validity is less than twice its visibility');
    demand(maintainer.keys.length >= 1, 'the charter has no maintainer’s key');
    demand(curation.threshold >= 1 && curation.threshold <= curation.curators.length, 'the charter’s threshold can’t be met');
    const states = new Set(curation.curators.map((curator) => country(curator.jurisdiction)));
    demand(curation.min_jurisdictions >= 1 && curation.min_jurisdictions <= Math.min(curation.threshold, states.size), 'the charter’s number of jurisdictions can’t be met');
    const maintainers = await Promise.all(maintainer.keys.map((key) => parseKey(key, ED25519)));
    const curators = await Promise.all(curation.curators.map(async (curator) => ({ ...curator, key: await parseKey(curator.key, ED25519) })));
    const keys = [...maintainers, ...curators.map((curator) => curator.key)];
    demand(new Set(keys.map((key) => key.raw)).size === keys.length, 'one public key stands twice in the charter');
    return { note, body, id: toBase64(await sha256(utf8(note.text))), maintainers, curators, keys };
  };

  const parseRelease = async (whole) => {
    const note = parseNote(whole, 'the release');
    const body = parseJson(note.text, RELEASE, 'the release');
    demand(body.statement === 'isonomy/release/v1', 'what should be a release is none');
    demand(body.version >= 1 && (body.version > 1) === ('previous' in body), 'the release’s version and the one before do not fit');
    const [created, expires] = [instant(body.created, 'created'), instant(body.expires, 'expires')];
    demand(expires > created, 'the release expires before it was created');
    demand(body.added <= body.entries && body.irregular <= body.entries, 'the release counts more than it has entries');
    demand(body.version > 1 || (body.removed === 0 && body.added === body.entries), 'the first version does not add all of its entries');
    const bases = [];
    for (let step = 1; body.version % step === 0 && step < body.version; step *= 2) bases.unshift(body.version - step);
    demand(`${body.deltas.map((delta) => delta.from)}` === `${bases}`, 'the release has not the deltas of its version');
    demand(body.deltas.at(-1)?.release === body.previous, 'the last delta is not from the release before');
    return { note, body, id: toBase64(await sha256(utf8(note.text))), created };
  };

  const parseAttestation = async (whole) => {
    const note = parseNote(whole, 'the attestation');
    const body = parseJson(note.text, ATTESTATION, 'the attestation');
    demand(body.statement === 'isonomy/attestation/v1', 'what should be an attestation is none');
    const isContent = ['canary', 'recomputed', 'sampled'].includes(body.method);
    const has = { log_size: body.method === 'followed', complaint: body.method === 'complaint', sample: isContent, errors: isContent };
    demand(Object.entries(has).every(([name, must]) => (name in body) === must), 'the attestation has the fields of another method');
    demand(!isContent || body.errors <= body.sample, 'the attestation counts more errors than it looked at');
    return { note, body, key: await parseKey(body.auditor, ED25519) };
  };

  const STATEMENT = /^\{\n {2}"statement": "isonomy\/([a-z]+)\/v1"/;
  const parseStatement = async (whole) => {
    const kinds = new Map([['charter', parseCharter], ['release', parseRelease], ['attestation', parseAttestation]]);
    const kind = STATEMENT.exec(whole)?.[1];
    return { kind, ...await (kinds.get(kind) ?? refuse('what should be a statement is none'))(whole) };
  };

  /** The keys that signed, if every line is by one that counts, one line for each, in their order. */
  const signersOf = async (note, counted, what) => {
    const signers = [];
    let next = 0;
    for (const line of note.lines) {
      while (next < counted.length && !isBy(counted[next], line)) next += 1;
      demand(next < counted.length, `a signature by ${line.name} is not one that counts, or not in its place`);
      demand(await signedBy(counted[next], line.bytes, utf8(note.text)), `the signature of ${line.name} under ${what} is wrong`);
      signers.push(counted[next]);
      next += 1;
    }
    return signers;
  };

  /** The keys of these that signed, whatever other lines there are. */
  const foundOf = async (note, counted) => {
    const signers = [];
    for (const key of counted) {
      for (const line of note.lines) {
        if (isBy(key, line) && !signers.includes(key) && await signedBy(key, line.bytes, utf8(note.text))) signers.push(key);
      }
    }
    return signers;
  };

  /** Rule 2: maintainer, and curators enough from jurisdictions enough. Gives the curators among those who signed. */
  const approved = (charter, signers, what) => {
    const signed = (key) => signers.some((signer) => signer.raw === key.raw);
    demand(charter.maintainers.some(signed), `the maintainer has not signed ${what}`);
    const curators = charter.curators.filter((curator) => signed(curator.key));
    const { threshold, min_jurisdictions: states } = charter.body.curation;
    demand(curators.length >= threshold, `${curators.length} curators have signed ${what}; the charter asks for ${threshold}`);
    const from = new Set(curators.map((curator) => country(curator.jurisdiction)));
    demand(from.size >= states, `the curators who signed come from ${from.size} jurisdictions; the charter asks for ${states}`);
    return curators;
  };

  const checkRelease = async (release, charter) => {
    demand(release.body.charter === charter.id && release.body.list === charter.body.list, 'the release does not cite the charter of its list');
    const signers = await signersOf(release.note, charter.keys, 'the release');
    return { signers, curators: approved(charter, signers, 'the release') };
  };

  /** Rules 2 and 3: an edition is signed as the one before asks, as it asks itself, and by every key that it adds. */
  const checkEdition = async (edition, before) => {
    const charters = before ? [edition, before] : [edition];
    const counted = [];
    for (const key of charters.flatMap((charter) => charter.keys)) {
      if (!counted.some((known) => known.raw === key.raw && known.name === key.name)) counted.push(key);
    }
    // Lines by keys of older editions may stand there, which are not at hand; of a first edition all count.
    const signers = before ? await foundOf(edition.note, counted) : await signersOf(edition.note, counted, 'the edition');
    charters.forEach((charter) => approved(charter, signers, 'the edition'));
    const known = before ? before.keys : edition.maintainers;
    const has = (keys, key) => keys.some((one) => one.raw === key.raw);
    const silent = edition.keys.find((key) => !has(known, key) && !has(signers, key));
    demand(!silent, `${silent?.name}, whom the edition names, has not signed it`);
  };

  /** Rule 4: whether an edition makes nothing more possible than the one before. What isn't known to narrow, widens. */
  const narrows = (old, now) => {
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    const within = (part, whole) => {
      const rest = whole.map((item) => JSON.stringify(item));
      let at = 0;
      return part.every((item) => {
        const found = rest.indexOf(JSON.stringify(item), at);
        at = found + 1;
        return found >= 0;
      });
    };
    const [a, b] = [old, now];
    return same([a.statement, a.list, a.log], [b.statement, b.list, b.log])
      && same([a.maintainer.name, a.maintainer.jurisdiction], [b.maintainer.name, b.maintainer.jurisdiction])
      && within(b.maintainer.keys, a.maintainer.keys)
      && same({ ...a.purpose, exclusions: 0 }, { ...b.purpose, exclusions: 0 })
      && within(a.purpose.exclusions, b.purpose.exclusions)
      && within(b.reach.jurisdictions, a.reach.jurisdictions) && within(b.reach.surfaces, a.reach.surfaces)
      && a.matching.algorithm === b.matching.algorithm
      && b.matching.max_distance <= a.matching.max_distance && b.matching.min_quality >= a.matching.min_quality
      && ACTIONS.indexOf(b.action.most) <= ACTIONS.indexOf(a.action.most) && within(b.action.recipients, a.action.recipients)
      && b.curation.threshold >= a.curation.threshold && b.curation.min_jurisdictions >= a.curation.min_jurisdictions
      && within(b.curation.curators, a.curation.curators)
      && b.limits.max_entries <= a.limits.max_entries && b.limits.max_added <= a.limits.max_added
      && b.limits.min_interval >= a.limits.min_interval && b.limits.validity <= a.limits.validity
      && b.limits.min_visibility >= a.limits.min_visibility && b.limits.notice >= a.limits.notice
      && a.redress.complaints === b.redress.complaints && b.redress.removal_deadline <= a.redress.removal_deadline;
  };

  // What each kind of file proves ------------------------------------------------------------------------------------

  /** A tlog-proof (C2SP): index, path, cosigned checkpoint. */
  const parseProof = async (policy, text, what = 'the proof') => {
    limit(text, MAX_PROOF, what);
    const cut = text.indexOf('\n\n');
    demand(cut >= 0, `${what} has no checkpoint`);
    const lines = text.slice(0, cut).split('\n');
    demand(lines.shift() === 'c2sp.org/tlog-proof@v1', `${what} is not a tlog-proof`);
    if (lines[0]?.startsWith('extra ')) fromBase64(lines.shift().slice(6), `${what}, extra`);
    const index = /^index (.*)$/.exec(lines.shift() ?? '') ?? refuse(`${what} has no index`);
    demand(lines.length <= 63, `${what} has too many hashes`);
    const checkpoint = await parseCheckpoint(policy, text.slice(cut + 2), `the checkpoint of ${what}`);
    return {
      index: decimal(index[1], `the index of ${what}`), path: lines.map((line) => hashOf(line, `${what}, a hash`)),
      checkpoint, times: await seen(policy, checkpoint, `the checkpoint of ${what}`),
    };
  };
  const provenBy = async (proof, entry, what) =>
    included(await leafHash(utf8(entry)), proof.index, proof.checkpoint.size, proof.path, proof.checkpoint.root, what);

  const saysCharter = ({ body }) =>
    `Edition ${body.edition} of its charter, by ${body.maintainer.name} (${body.maintainer.jurisdiction}): ${body.purpose.definition} A match may lead at most to: ${body.action.most}.`;
  const saysTimes = (times) =>
    `${times.count} of ${times.total} witnesses have cosigned it; by their clocks it was public at ${shownTime(times.earliest)}.`;

  const receipt = async (policy, text) => {
    limit(text, MAX_RECEIPT, 'the receipt');
    const file = parseJson(text, RECEIPT, 'the receipt');
    demand(file.receipt === 'isonomy/receipt/v1', 'this is not a receipt');
    const checkpoint = await parseCheckpoint(policy, textOfLines(file.checkpoint));
    const times = await seen(policy, checkpoint);
    for (const what of ['release', 'charter']) {
      const leaf = await leafHash(utf8(textOfLines(file[what])));
      const path = hashesOf(file[`${what}_path`], `the proof of the ${what}`);
      await included(leaf, BigInt(file[`${what}_index`]), checkpoint.size, path, checkpoint.root, `the ${what} in the log`);
    }
    demand(file.charter_index < file.release_index, 'the charter was not logged before the release');
    const release = await parseRelease(textOfLines(file.release));
    const charter = await parseCharter(textOfLines(file.charter));
    demand(charter.body.log === checkpoint.origin, 'the charter counts in another log');
    const { curators } = await checkRelease(release, charter);
    const entry = fromBase64(file.entry, 'the entry');
    demand(entry.length === ALGORITHMS.get(charter.body.matching.algorithm)[0], 'the entry is not of the list’s algorithm');
    const root = hashOf(release.body.root, 'the list’s root');
    await included(await leafHash(entry), BigInt(file.entry_index), BigInt(release.body.entries), hashesOf(file.entry_path, 'the proof of the entry'), root, 'the entry in the list');
    return {
      kind: 'receipt',
      says: [
        `The entry ${hex(entry)} stands in version ${release.body.version} of ${release.body.list}.`,
        `That version was endorsed by ${curators.map((curator) => `${curator.name} (${curator.jurisdiction})`).join(', ')}.`,
        saysCharter(charter),
        `Both are in the log ${checkpoint.origin}. ${saysTimes(times)}`,
        'Whether a picture matches that entry is not checked here: the receipt does not hold the picture.',
      ],
    };
  };

  const fork = async (policy, file) => {
    const older = await parseCheckpoint(policy, textOfLines(file.older), 'the older checkpoint');
    const newer = await parseCheckpoint(policy, textOfLines(file.newer), 'the newer checkpoint');
    demand(older.origin === newer.origin && older.log === newer.log, 'the checkpoints are by different logs');
    demand(older.size <= newer.size, 'the older checkpoint is the larger one');
    if (older.size === newer.size) {
      demand(file.proof.length === 0 && !equal(older.root, newer.root), 'the two checkpoints do not contradict each other');
    } else {
      const hashes = file.proof.map((hash) => hashOf(hash, 'a hash of the proof'));
      const [prefix, whole] = await prefixRoots(older.size, newer.size, hashes);
      demand(equal(whole, newer.root), 'the proof does not lead to the root of the newer checkpoint');
      demand(!equal(prefix, older.root), 'the two checkpoints do not contradict each other');
    }
    return [
      `The log ${called(older.log)} signed two histories: a tree of ${older.size} entries with root ${toBase64(older.root)}, and one of ${newer.size} entries with root ${toBase64(newer.root)}. They can’t both be true.`,
    ];
  };

  /** A statement with the proof that it is in the log. */
  const inLog = async (policy, file, name, what) => {
    const proof = await parseProof(policy, textOfLines(file[`${name}_proof`]), `the proof of ${what}`);
    await provenBy(proof, textOfLines(file[name]), `${what} in the log`);
    return proof;
  };

  /** A charter, in the log that it names. */
  const charterInLog = async (policy, file, name, what) => {
    const charter = await parseCharter(textOfLines(file[name]));
    const log = policy.logs.find((key) => key.name === charter.body.log) ?? refuse('the charter counts in no log of the policy');
    await inLog(ofLog(policy, log), file, name, what);
    return { ...charter, inLog: log };
  };

  /** A release under its charter, both in one log, with the signatures that the charter asks for. */
  const releaseInLog = async (policy, file, name, charterName) => {
    const charter = await charterInLog(policy, file, charterName, charterName === 'charter' ? 'the charter' : `the ${name} charter`);
    const release = await parseRelease(textOfLines(file[name]));
    const proof = await inLog(ofLog(policy, charter.inLog), file, name, `the ${name} release`);
    return { charter, release, proof, ...await checkRelease(release, charter) };
  };

  const DAY = 24n * 3600n;
  /** How far the clocks of two honest witnesses, or of a witness and a signer, may differ, in seconds. */
  const CLOCKS = 120n;

  const twoVersions = (first, second) => {
    const { version, list } = first.release.body;
    const same = second.release.body.version === version && second.release.body.list === list && first.charter.inLog === second.charter.inLog;
    demand(same && first.release.id !== second.release.id, 'the releases are not two texts for one version');
    const latest = (a, b) => (a > b ? a : b);
    const publicSince = latest(first.proof.times.earliest, second.proof.times.earliest);
    const over = DAY + (first.release.created < second.release.created ? first : second).release.created;
    const signedToo = (key) => second.signers.some((other) => other.raw === key.raw);
    const both = publicSince + CLOCKS <= over ? first.signers.filter(signedToo) : [];
    return both.length > 0
      ? [`${both.map(called).join(', ')} signed two texts for version ${version} of ${list}. The log ${called(first.charter.inLog)} has both.`]
      : [`The log ${called(first.charter.inLog)} logged two texts for version ${version} of ${list}.`];
  };

  const equivocation = async (policy, file) =>
    twoVersions(await releaseInLog(policy, file, 'first', 'charter'), await releaseInLog(policy, file, 'second', 'charter'));

  const crossEquivocation = async (policy, file) => {
    const first = await releaseInLog(policy, file, 'first', 'first_charter');
    const second = await releaseInLog(policy, file, 'second', 'second_charter');
    demand(first.charter.id !== second.charter.id, 'both releases cite one edition, for which there is another kind of evidence');
    return twoVersions(first, second);
  };

  const twoEditions = async (policy, file) => {
    const [first, second] = [await charterInLog(policy, file, 'first', 'the first charter'), await charterInLog(policy, file, 'second', 'the second charter')];
    const follows = (a, b) => a.list === b.list && a.log === b.log;
    const [a, b] = [first.body, second.body];
    demand(first.id !== second.id && follows(a, b) && a.edition === b.edition && first.inLog === second.inLog, 'the charters are not two texts for one edition of one list');
    const has = 'before' in file;
    demand(has === ('before_proof' in file) && has === (a.edition > 1), 'the edition before goes with its proof, and with every edition but the first');
    const before = has ? await charterInLog(policy, file, 'before', 'the edition before') : null;
    for (const edition of [first, second]) {
      const isNext = !before || (edition.body.previous === before.id && edition.body.edition === before.body.edition + 1 && follows(edition.body, before.body));
      demand(isNext, 'an edition is not the one after the edition before');
      demand(!before || before.inLog === edition.inLog, 'the statements are in different logs');
      await checkEdition(edition, before);
    }
    return [`The log ${called(first.inLog)} admitted two texts for edition ${a.edition} of the charter of ${a.list}.`];
  };

  const earlyAdmission = async (policy, file) => {
    const [before, edition] = [await parseCharter(textOfLines(file.before)), await parseCharter(textOfLines(file.edition))];
    const release = await parseRelease(textOfLines(file.release));
    demand(edition.body.previous === before.id && release.body.charter === edition.id, 'the release does not cite the edition, or the edition not the one before it');
    demand(!narrows(before.body, edition.body), 'the edition narrows the charter and needs no notice');
    demand(overlap(policy.quorum) > 0, 'two quorums of the policy need not share a witness, so what one has not seen another may have');
    const earlier = await parseCheckpoint(policy, textOfLines(file.earlier), 'the earlier checkpoint');
    demand(earlier.size >= beganAt(policy, earlier.origin), 'the earlier checkpoint is from before the policy’s witnesses');
    const notYet = (await witnessed(policy, earlier, 'the earlier checkpoint')).latest;
    const editionProof = await inLog(ofLog(policy, earlier.log), file, 'edition', 'the edition');
    const releaseProof = await inLog(ofLog(policy, earlier.log), file, 'release', 'the release');
    demand(editionProof.index >= earlier.size, 'the edition was in the log already');
    demand(releaseProof.times.earliest >= notYet, 'the release was witnessed before the checkpoint that does not have its edition: a clock may be wrong');
    const seen = releaseProof.times.earliest - notYet;
    const { notice } = before.body.limits;
    demand(seen + CLOCKS < BigInt(notice), `the notice may have been over: the clocks of honest witnesses may differ by ${CLOCKS} s`);
    return [
      `The log ${called(earlier.log)} admitted version ${release.body.version} of ${release.body.list} under edition ${edition.body.edition}, which was public for at most ${seen} s of the notice of ${notice} s.`,
    ];
  };

  /** Whether a check refuses; any other failure is this program's. */
  const refuses = async (check) => {
    try {
      await check();
      return false;
    } catch (error) {
      if (error instanceof Refused) return true;
      throw error;
    }
  };

  // Numbers beyond this some programs call infinite, and others not.
  const LARGE = 1e308;

  /** Whether a text that is JSON has no more than 127 levels, no number beyond doubles, and strings that are Unicode: also in
   * what a field of the same name after it hides. */
  const isPlain = (text) => {
    const STRING = /"(?:[^"\\]|\\.)*"/g;
    const [strings, rest] = [text.match(STRING) ?? [], text.replace(STRING, '')];
    const numbers = (rest.match(/-?[0-9][0-9.eE+-]*/g) ?? []).map((number) => Math.abs(Number(number)));
    let [deep, deepest] = [0, 0];
    for (const [sign] of rest.matchAll(/[[\]{}]/g)) {
      deep += '[{'.includes(sign) ? 1 : -1;
      deepest = Math.max(deepest, deep);
    }
    if (strings.some((string) => /\p{Cs}/u.test(JSON.parse(string))) || numbers.includes(Infinity) || deepest > 127) return false;
    if (numbers.some((number) => number > LARGE)) throw new NotChecked('the entry holds a number that not every program reads alike; use the command isonomy evidence verify');
    return true;
  };

  /** Whether bytes have the form of a statement, of whichever version. */
  const hasForm = (bytes) => {
    try {
      const { text } = parseNote(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), 'the entry');
      const kind = /^\{\n {2}"statement": "(isonomy\/[a-z-]+\/v[1-9][0-9]*)"/.exec(text)?.[1];
      return bytes.length <= MAX_STATEMENT && kind !== undefined && JSON.parse(text).statement === kind && isPlain(text);
    } catch (error) {
      if (error instanceof NotChecked) throw error;
      return false;
    }
  };

  const notAStatement = async (policy, file) => {
    const entry = fromBase64(file.entry, 'the entry');
    const { index, path, checkpoint } = await parseProof(policy, textOfLines(file.proof));
    await included(await leafHash(entry), index, checkpoint.size, path, checkpoint.root, 'the entry in the log');
    demand(!hasForm(entry), 'the entry has the form of a statement, maybe of a later format');
    return [`The log ${called(checkpoint.log)} admitted entry ${index}, which is no statement.`];
  };

  const loggedTwice = async (policy, file) => {
    const [{ note: first }, { note: second }] = [await parseStatement(textOfLines(file.first)), await parseStatement(textOfLines(file.second))];
    const [here, there] = [await inLog(policy, file, 'first', 'the first statement'), await inLog(policy, file, 'second', 'the second statement')];
    const isOne = first.text === second.text && here.index < there.index && here.checkpoint.log === there.checkpoint.log;
    demand(isOne, 'it is not one text at two places of one log');
    return [`The log ${called(here.checkpoint.log)} logged one text at place ${here.index} and again at place ${there.index}.`];
  };

  /** Whether an edition lacks what it needs whichever is in force; lines that do not count here may count under that one. */
  const lacksConsent = async (edition, before) => {
    const signers = [];
    for (const key of [...edition.keys, ...before.keys]) {
      const lines = edition.note.lines.filter((line) => isBy(key, line));
      const good = await Promise.all(lines.map((line) => signedBy(key, line.bytes, utf8(edition.note.text))));
      if (good.length > 0 && good.every(Boolean)) signers.push(key);
    }
    const has = (keys, key) => keys.some((one) => one.raw === key.raw);
    const satisfies = (charter) => refuses(async () => approved(charter, signers, 'the edition'));
    return await satisfies(before) || await satisfies(edition) || edition.keys.some((key) => !has(before.keys, key) && !has(signers, key));
  };

  /** How many bytes the snapshot of so many entries has. */
  const snapshotSize = (algorithm, entries) => {
    const bits = 8 * ALGORITHMS.get(algorithm)[0];
    if (entries === 0) return 13;
    const high = entries === 1 ? 0 : 32 - Math.clz32(entries - 1);
    return 13 + Math.ceil((entries * (bits - high + 1) + 2 ** high - 1) / 8);
  };

  /** What is wrong with an edition, in words; none if it is as it should be. */
  const wrongEdition = async (edition, here, before) => {
    const { body } = edition;
    if (body.log !== here.checkpoint.origin) return 'an edition that counts in another log';
    if (!before) {
      demand(body.edition === 1, 'the edition before is missing');
      return await refuses(() => checkEdition(edition, null)) ? 'a first edition without the signatures that it needs' : null;
    }
    demand(body.previous === before.id, 'the edition does not follow this one');
    const old = before.body;
    const follows = before.index < here.index && old.list === body.list && old.edition + 1 === body.edition;
    if (!follows || old.matching.algorithm !== body.matching.algorithm) return 'an edition that does not follow the one before it';
    return await lacksConsent(edition, before) ? 'an edition without the consent that it needs' : null;
  };

  /** The same of a release, and whether those who signed it answer for that. */
  const wrongRelease = async (release, here, charter, other) => {
    const [{ body }, { limits, matching }] = [release, charter.body];
    demand(body.charter === charter.id && charter.body.log === here.checkpoint.origin, 'the release does not cite this charter, or the charter counts in another log');
    if (charter.index >= here.index || body.list !== charter.body.list) return ['a release that is not of the list of a charter before it', false];
    if (await refuses(() => checkRelease(release, charter))) return ['a release without the signatures that it needs', false];
    const validity = instant(body.expires, 'expires') - release.created;
    const isOver = body.entries > limits.max_entries || body.added > limits.max_added || validity > BigInt(limits.validity);
    if (isOver || body.entries >= 2 ** 32 || body.snapshot.size !== snapshotSize(matching.algorithm, body.entries)) return ['a release beyond the limits of its charter', true];
    demand(other, 'the release breaks no rule that this file could show');
    const { body: known } = other;
    demand(known.list === body.list && known.version !== body.version, 'the other release is of another list, or of the same version');
    if ((known.version < body.version) !== (other.index < here.index)) return ['a release out of order', false];
    demand(known.version < body.version, 'the release breaks no rule that this file could show');
    const follows = body.previous === other.id;
    if (known.version + 1 === body.version && !follows) return ['a release that does not cite the one before it', false];
    const passed = release.created - other.created;
    if (passed < 0n) return ['a release that was composed before an earlier one', follows];
    return known.added > 0 && body.added > 0 && passed < BigInt(limits.min_interval) ? ['a release that adds entries too soon', follows] : [null, false];
  };

  const inadmissible = async (policy, file) => {
    const text = textOfLines(file.statement);
    const here = await inLog(policy, file, 'statement', 'the statement');
    const beside = async (name, parse) => {
      demand((name in file) === (`${name}_proof` in file), 'a statement goes with its proof');
      if (!(name in file)) return null;
      const { index, checkpoint } = await inLog(policy, file, name, `the ${name}`);
      demand(checkpoint.log === here.checkpoint.log, 'the statements are in different logs');
      return { ...await parse(textOfLines(file[name])), index };
    };
    const [charter, other] = [await beside('charter', parseCharter), await beside('other', parseRelease)];
    const said = (what, also) => [`The log ${called(here.checkpoint.log)} admitted entry ${here.index}, ${what}.${also}`];
    const { kind, ...statement } = await parseStatement(text);
    if (kind === 'release') {
      demand(charter, 'the charter is missing');
      const release = statement;
      const [wrong, isSigned] = await wrongRelease(release, here, charter, other);
      demand(wrong, 'the release breaks no rule that this file could show');
      const signers = isSigned ? (await checkRelease(release, charter)).signers.map(called) : [];
      return said(wrong, isSigned ? ` It is signed by ${signers.join(', ')}.` : '');
    }
    demand(!other, 'there is more than is needed');
    if (kind === 'charter') {
      const wrong = await wrongEdition(statement, here, charter);
      demand(wrong, 'the edition breaks no rule that this file could show');
      return said(wrong, '');
    }
    demand(!charter, 'there is more than is needed');
    const { note, key } = statement;
    const [line, ...more] = note.lines;
    const isSigned = more.length === 0 && isBy(key, line) && await signedBy(key, line.bytes, utf8(note.text));
    demand(!isSigned, 'the attestation is signed by its auditor');
    return said('an attestation that its auditor did not sign alone', '');
  };

  const evidence = async (policy, text, kind) => {
    if (kind === 'isonomy/wrong-content/v1') {
      throw new NotChecked('this evidence holds whole lists, which this page does not read; use the command isonomy evidence verify');
    }
    const kinds = {
      'isonomy/not-a-statement/v1': [NOT_A_STATEMENT, notAStatement],
      'isonomy/logged-twice/v1': [TWICE, loggedTwice],
      'isonomy/inadmissible/v1': [INADMISSIBLE, inadmissible],
      'isonomy/fork/v1': [FORK, fork],
      'isonomy/equivocation/v1': [EQUIVOCATION, equivocation],
      'isonomy/equivocation/v2': [CROSS, crossEquivocation],
      'isonomy/two-editions/v1': [EDITIONS, twoEditions],
      'isonomy/early-admission/v1': [EARLY, earlyAdmission],
    };
    if (!Object.hasOwn(kinds, kind)) {
      throw new NotChecked(`evidence of the kind ${kind} is not known here; use the command isonomy evidence verify`);
    }
    const [shape, check] = kinds[kind];
    return { kind: 'evidence', says: await check(policy, parseJson(text, shape, 'the evidence')) };
  };

  /** What an entry says, in a sentence. That it is in the log holds also where it is no statement. */
  const saysStatement = async (text) => {
    const kind = STATEMENT.exec(text)?.[1];
    try {
      if (kind === 'charter') {
        const charter = await parseCharter(text);
        return `It is edition ${charter.body.edition} of the charter of ${charter.body.list}. ${saysCharter(charter)}`;
      }
      if (kind === 'release') {
        const { body } = await parseRelease(text);
        return `It is version ${body.version} of ${body.list}: ${body.entries} entries, ${body.added} added and ${body.removed} removed.`;
      }
      return 'What it says is not checked here.';
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return `It is in the log, and is no ${kind}: ${error.message}.`;
    }
  };

  const proof = async (policy, text, others) => {
    const parsed = await parseProof(policy, text);
    demand(others.length > 0, 'the proof is signed and cosigned as it should be; to check what it proves, add the entry that it is about (“note”)');
    const leaves = await Promise.all(others.map(async ({ bytes }) => leafHash(bytes)));
    for (const [at, leaf] of leaves.entries()) {
      await included(leaf, parsed.index, parsed.checkpoint.size, parsed.path, parsed.checkpoint.root, `${others[at].name} in the log`);
    }
    return {
      kind: 'proof',
      says: [
        `${others.map((file) => file.name).join(', ')} is entry ${parsed.index} of the log ${parsed.checkpoint.origin}.`,
        saysTimes(parsed.times),
        ...await Promise.all(others.map((file) => saysStatement(textOf(file.bytes, file.name)))),
      ],
    };
  };

  const bundle = async (policy, text, others) => {
    limit(text, MAX_BUNDLE, 'the bundle');
    const cut = text.indexOf('\n\n');
    demand(cut >= 0, 'the bundle has no checkpoint');
    const checkpoint = await parseCheckpoint(policy, text.slice(cut + 2));
    const times = await witnessed(policy, checkpoint);
    demand(checkpoint.size >= beganAt(policy, checkpoint.origin), 'the checkpoint is from before the policy’s witnesses');
    const [first, list, ...lines] = text.slice(0, cut).split('\n');
    demand(first === 'isonomy-bundle/v1' && list?.startsWith('list '), 'this is not a bundle');
    LIST(list.slice(5), 'the list of the bundle');
    const members = [];
    const ORDER = ['charter', 'release', 'attestation'];
    for (const line of lines) {
      const match = /^(charter|release|attestation) ([^ ]+) ([^ ]+)$/.exec(line);
      const before = ORDER.indexOf(members.at(-1)?.kind);
      demand(!match || ORDER.indexOf(match[1]) >= before, 'the statements of the bundle are not in their order');
      if (match) members.push({ kind: match[1], id: toBase64(hashOf(match[2], 'an identity')), index: decimal(match[3], 'an index'), path: [] });
      else (members.at(-1) ?? refuse('a hash stands before any statement of the bundle')).path.push(hashOf(line, 'a hash of the bundle'));
    }
    demand(members.length > 0, 'the bundle names no statement');
    const texts = new Map();
    for (const file of others) {
      const note = parseNote(textOf(file.bytes, file.name), file.name);
      const id = toBase64(await sha256(utf8(note.text)));
      demand(members.some((member) => member.id === id), `${file.name} is none of the statements of the bundle; choose it by itself`);
      texts.set(id, note.whole);
    }
    const says = [`The bundle is of ${list.slice(5)}, under a checkpoint of ${checkpoint.size} entries of the log ${checkpoint.origin}. ${saysTimes(times)}`];
    const charters = new Map();
    for (const member of members) {
      const whole = texts.get(member.id) ?? refuse(`the bundle is about the ${member.kind} ${hex(hashOf(member.id, 'an identity'))}; add that statement’s file, too`);
      await included(await leafHash(utf8(whole)), member.index, checkpoint.size, member.path, checkpoint.root, `the ${member.kind} at ${member.index} in the log`);
      if (member.kind === 'charter') {
        const charter = await parseCharter(whole);
        demand(charter.body.list === list.slice(5) && charter.body.log === checkpoint.origin, 'a charter of the bundle is of another list or log');
        charters.set(charter.id, charter);
        says.push(saysCharter(charter));
      } else if (member.kind === 'attestation') {
        await parseAttestation(whole);
        says.push('An auditor’s attestation is in the log; whose word counts is for you to say.');
      } else {
        const release = await parseRelease(whole);
        const charter = charters.get(release.body.charter) ?? refuse('a release of the bundle cites a charter that is not in it');
        await checkRelease(release, charter);
        says.push(`Version ${release.body.version} is in the log and endorsed as its charter asks: ${release.body.entries} entries; it says that it expires at ${release.body.expires}.`);
      }
    }
    says.push('Whether a client may use a version is not checked here: notice, visibility, limits, expiry, age, and what else is in the log. The command isonomy bundle verify checks that.');
    return { kind: 'bundle', says };
  };

  /** Finds out what the files are, and checks them. */
  const verify = async (files, policyText) => {
    try {
      demand(globalThis.crypto?.subtle !== undefined, 'this browser offers no cryptography here; open the page over HTTPS');
      demand(files.length > 0, 'choose a file first');
      const policy = await parsePolicy(policyText);
      const texts = await Promise.all(files.map(async (file) => textOf(await unpacked(file.bytes, file.name), file.name)));
      const at = texts.findIndex((text) => /^(\{|c2sp\.org\/tlog-proof@|isonomy-bundle\/)/.test(text) && !/^\{\n {2}"statement":/.test(text));
      demand(at >= 0, 'none of the files is a receipt, evidence, a proof or a bundle');
      const [text, others] = [texts[at], files.filter((_, index) => index !== at)];
      demand(!isPacked(files[at].bytes) || /^\{\n {2}"receipt":/.test(text), 'of these files only a receipt may be under gzip');
      if (text.startsWith('c2sp.org/')) return { ok: true, ...await proof(policy, text, others) };
      if (text.startsWith('isonomy-bundle/')) return { ok: true, ...await bundle(policy, text, others) };
      demand(others.length === 0, `each receipt, and each piece of evidence, is checked by itself: choose ${files[at].name} alone, then the others`);
      const kind = /^\{\n {2}"evidence": "([^"]*)"/.exec(text);
      if (/^\{\s*"trace":/.test(text)) {
        throw new NotChecked('this is a trace of one entry through the versions of a list, which this page does not read; use the command isonomy monitor trace --verify');
      }
      return { ok: true, ...await (kind ? evidence(policy, text, kind[1]) : receipt(policy, text)) };
    } catch (error) {
      if (error instanceof NotChecked) return { ok: false, checked: false, reason: error.message };
      if (error instanceof Refused) return { ok: false, checked: true, reason: error.message };
      return { ok: false, reason: `this program failed (${error})` };
    }
  };

  return { verify, MAX_FILE };
})();

// The page -----------------------------------------------------------------------------------------------------------

if (globalThis.document?.getElementById('form')) {
  const element = (id) => document.getElementById(id);
  const make = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text ?? '' });
  // What is shown is about the files and the policy that are chosen, or it is not shown.
  let turn = 0;
  const forget = () => {
    turn += 1;
    element('result').replaceChildren();
    return turn;
  };
  const read = async (file) => {
    if (file.size > Isonomy.MAX_FILE) throw new Error(`${file.name} is larger than what this page reads`);
    const changed = () => { throw new Error(`${file.name} can’t be read: it is gone, or was changed since you chose it; choose it again`); };
    return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer().catch(changed)) };
  };
  const check = async () => {
    let files;
    try {
      files = await Promise.all([...element('files').files].map(read));
    } catch (error) {
      return { ok: false, checked: false, reason: error.message };
    }
    return Isonomy.verify(files, element('policy').value.replace(/[^\n]$/, '$&\n'));
  };
  element('files').addEventListener('change', forget);
  element('policy').addEventListener('input', forget);
  element('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const mine = forget();
    const answer = await check();
    if (mine !== turn) return;
    const isOpen = !answer.ok && answer.checked === false;
    const frame = make('div', `status ${answer.ok ? 'good' : isOpen ? 'notice' : 'breach'}`);
    const heading = { receipt: 'The receipt holds', proof: 'The proof holds', bundle: 'The bundle’s proofs hold', evidence: 'The evidence holds' };
    frame.append(make('strong', '', answer.ok ? heading[answer.kind] : isOpen ? 'Not checked here' : 'This proves nothing'));
    if (answer.ok) answer.says.forEach((sentence) => frame.append(make('p', '', sentence)));
    else frame.append(make('p', '', `${answer.reason[0].toUpperCase()}${answer.reason.slice(1)}.`));
    element('result').replaceChildren(frame);
  });
}
