/** What takes the place of a secret. */
export const redactedMark = '[removed]';

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

type Pattern = readonly [RegExp, (...groups: string[]) => string, number | undefined];

/** Secrets that are known by their shape. The third member names the group that is the secret itself. */
const patterns: readonly Pattern[] = [
	[/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gu, () => redactedMark, undefined],
	[/\b(Bearer|Basic|Digest)(\s+)([\w.~+/=-]{6,})/giu, (_all, scheme) => `${scheme} ${redactedMark}`, 3],
	[/\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/gu, () => redactedMark, 0],
	[
		/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"']{0,256}:)([^\s/@"']{1,1024})@/giu,
		(_all, head) => `${head}${redactedMark}@`,
		2,
	],
	// `password=…`, `"token": "…"`: a name, a separator, a value; and `--api-key …`, where a space separates.
	[
		/(?<![\w.-])((?:\\?["'])?-{0,2}([\w.-]{2,64})(?:\\?["'])?\s{0,8}[=:]\s{0,8}(?:\\?["'])?)([^\s"'\\,;&}{\][]{1,4096})/gu,
		(all, head, name) => (isSecretName(name ?? '') ? `${head}${redactedMark}` : (all ?? '')),
		undefined,
	],
	[
		/(?<![\w.-])(--([\w.-]{2,64})\s{1,8}["']?)([^\s"'-][^\s"']{0,4096})/gu,
		(all, head, name) => (isSecretName(name ?? '') ? `${head}${redactedMark}` : (all ?? '')),
		undefined,
	],
];

/** Takes out what looks like a secret, whatever the text is. */
export const redactPatterns = (text: string, found: Set<string> = new Set()): string =>
	patterns.reduce(
		(rest, [pattern, replace, secret]) =>
			rest.replace(pattern, (...groups: string[]) => {
				const value = secret === undefined ? undefined : groups[secret];
				if (value !== undefined && value.length >= secretCharsMin && value !== redactedMark) {
					found.add(value);
				}
				return replace(...groups);
			}),
		text,
	);

/** Takes out, besides what looks like one, every secret that this box is known to hold, wherever it stands. */
export const createRedactor = (known: Iterable<string>): ((text: string) => string) => {
	const literals = [...new Set(known)]
		.flatMap((secret) => [secret, ...secret.split('\n')])
		.map((secret) => secret.trim())
		.filter((secret) => secret.length >= secretCharsMin && !secret.startsWith('-----'))
		// The longest first: a secret that holds another goes whole.
		.sort((one, other) => other.length - one.length);
	return (text) => {
		const literal = literals.reduce((rest, secret) => rest.replaceAll(secret, redactedMark), text);
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
