type Release = {readonly core: readonly number[]; readonly pre: readonly string[]};

const pattern = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?$/u;

/** Semantic versioning 2.0.0 without build metadata; undefined for anything else. */
export const parseRelease = (text: string): Release | undefined => {
	const match = pattern.exec(text);
	return match === null
		? undefined
		: {core: match.slice(1, 4).map(Number), pre: match[4] === undefined ? [] : match[4].split('.')};
};

/**
 * The precedence of semantic versioning 2.0.0 section 11: negative, 0 or positive; undefined when either is no semantic
 * version, which has no place in the order.
 */
export const compareReleases = (left: string, right: string): number | undefined => {
	const [a, b] = [parseRelease(left), parseRelease(right)];
	if (a === undefined || b === undefined) {
		return undefined;
	}
	for (const [index, number] of a.core.entries()) {
		const difference = number - (b.core[index] ?? 0);
		if (difference !== 0) {
			return difference;
		}
	}
	// A version without pre-release identifiers comes after all with (section 11.3).
	if (a.pre.length === 0 || b.pre.length === 0) {
		return (a.pre.length === 0 ? 1 : 0) - (b.pre.length === 0 ? 1 : 0);
	}
	for (const [index, identifier] of a.pre.entries()) {
		const other = b.pre[index];
		const difference = other === undefined ? 1 : compareIdentifiers(identifier, other);
		if (difference !== 0) {
			return difference;
		}
	}
	return a.pre.length - b.pre.length;
};

/** Numbers before words, numbers by value, words by their ASCII order (section 11.4). */
const compareIdentifiers = (left: string, right: string): number => {
	const [leftIsNumber, rightIsNumber] = [/^\d+$/u.test(left), /^\d+$/u.test(right)];
	if (leftIsNumber && rightIsNumber) {
		// Not as floating point: two that differ beyond 2^53 are not the same release.
		return Number(BigInt(left) > BigInt(right)) - Number(BigInt(left) < BigInt(right));
	}
	if (leftIsNumber !== rightIsNumber) {
		return leftIsNumber ? -1 : 1;
	}
	return left === right ? 0 : left < right ? -1 : 1;
};
