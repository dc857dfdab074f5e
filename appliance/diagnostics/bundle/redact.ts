import {redactedMark, redactKeys} from '#appliance/diagnostics/bundle/redact-keys.ts';

/** A key whose value nobody but the box should see. Public halves, digests and file names of keys are none. */
const secretName =
	/(?:^|[-_.])(?:pass(?:word|wd|phrase)?|secrets?|tokens?|credentials?|authorization|cookies?|(?:api|private|access|secret|signing)[-_]?keys?|pins?|psk|key[-_]?pem|claim)(?:$|[-_.\d])/iu;
const camelToKebab = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/gu, '$1-$2');

export const isSecretName = (name: string): boolean => secretName.test(camelToKebab(name));

/** Shorter values would blot out half of a log; a secret of so few characters is none. */
const secretCharsMin = 6;
const depthMax = 64;

/** Collects what stands under secret names, and gives a copy without it. */
export const redactStructure = (value: unknown, found: Set<string> = new Set(), depth = 0): unknown => {
	if (depth > depthMax) {
		return redactedMark;
	}
	if (Array.isArray(value)) {
		return value.map((item) => redactStructure(item, found, depth + 1));
	}
	if (typeof value === 'object' && value !== null) {
		return Object.fromEntries(
			Object.entries(value).map(([name, item]) =>
				isSecretName(name) && item !== null && item !== ''
					? [name, take(item, found)]
					: [name, redactStructure(item, found, depth + 1)],
			),
		);
	}
	return typeof value === 'string' ? redactPatterns(value, found) : value;
};

/** Everything below a secret name is secret, lists and maps too. */
const take = (value: unknown, found: Set<string>): string => {
	if (typeof value === 'object' && value !== null) {
		for (const item of Object.values(value)) {
			take(item, found);
		}
	} else if (String(value).length >= secretCharsMin) {
		found.add(String(value));
	}
	return redactedMark;
};

type Pattern = {
	readonly shape: RegExp;
	/** What stands for it; the whole match and its groups are given. */
	readonly replace: (...groups: string[]) => string;
	/** The secret itself, when there is one. */
	readonly secretOf: (...groups: string[]) => string | undefined;
};

/** Secrets that are known by their shape. */
const patterns: readonly Pattern[] = [
	{
		shape: /\b(Bearer|Basic|Digest)(\s+)([\w.~+/=-]{6,})/giu,
		replace: (_all, scheme) => `${scheme} ${redactedMark}`,
		secretOf: (_all, _scheme, _space, value) => value,
	},
	{shape: /\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/gu, replace: () => redactedMark, secretOf: (all) => all},
	{
		shape: /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"']{0,256}:)([^\s/@"']{1,1024})@/giu,
		replace: (_all, head) => `${head}${redactedMark}@`,
		secretOf: (_all, _head, value) => value,
	},
];

/** A name with what separates it from its value, and what the value ends before. */
const namedValues: readonly {readonly head: RegExp; readonly value: RegExp}[] = [
	// `password=…`, `"token": "…"`
	{
		head: /(?<![\w.-])(?:\\?["'])?-{0,2}([\w.-]{2,64})(?:\\?["'])?\s{0,8}[=:]\s{0,8}(?:\\?["'])?/gu,
		value: /[^\s"'\\,;&}{\][]{1,4096}/uy,
	},
	// `--api-key …`
	{head: /(?<![\w.-])--([\w.-]{2,64})\s{1,8}["']?/gu, value: /[^\s"'-][^\s"']{0,4096}/uy},
];

/** Takes out what looks like a secret, whatever the text is. */
export const redactPatterns = (text: string, found: Set<string> = new Set()): string => {
	const note = (value: string | undefined): void => {
		if (value !== undefined && value.length >= secretCharsMin && value !== redactedMark) {
			found.add(value);
		}
	};
	const shaped = patterns.reduce(
		(rest, {shape, replace, secretOf}) =>
			rest.replace(shape, (...groups: string[]) => {
				note(secretOf(...groups));
				return replace(...groups);
			}),
		redactKeys(text),
	);
	return namedValues.reduce((rest, named) => redactNamed(rest, named, note), shaped);
};

/** The value of a name that is no secret's is looked at too: it may begin with another name. */
const redactNamed = (
	text: string,
	{head, value}: (typeof namedValues)[number],
	note: (value: string) => void,
): string => {
	let result = '';
	let from = 0;
	head.lastIndex = 0;
	for (let match = head.exec(text); match !== null; match = head.exec(text)) {
		value.lastIndex = head.lastIndex;
		const [secret] = isSecretName(match[1] ?? '') ? (value.exec(text) ?? []) : [];
		if (secret !== undefined) {
			note(secret);
			result += `${text.slice(from, head.lastIndex)}${redactedMark}`;
			from = head.lastIndex + secret.length;
			head.lastIndex = from;
		}
	}
	return result + text.slice(from);
};

/** Takes out, besides what looks like one, every secret that this box is known to hold, wherever it stands. */
export const createRedactor = (known: Iterable<string>): ((text: string) => string) => {
	const literals = [...new Set(known)]
		.flatMap((secret) => [secret, ...secret.split('\n')])
		.map((secret) => secret.trim())
		.filter((secret) => secret.length >= secretCharsMin && !secret.startsWith('-----'))
		// The longest first: a secret that holds another goes whole.
		.sort((one, other) => other.length - one.length);
	return (text) => {
		// Keys go first: what is known of one would hide the rest of it.
		const literal = literals.reduce((rest, secret) => rest.replaceAll(secret, redactedMark), redactKeys(text));
		return redactPatterns(literal);
	};
};

/** Values of this process's environment that stand under secret names, or that carry one within a URL. */
export const secretsOfEnvironment = (
	environment: Readonly<Record<string, string | undefined>>,
): ReadonlySet<string> => {
	const found = new Set<string>();
	redactStructure(environment, found);
	return found;
};
