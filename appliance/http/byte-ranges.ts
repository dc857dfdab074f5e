/** Both ends inclusive, as on the wire. */
export type ByteRange = {readonly start: number; readonly end: number};

export type RangeAnswer =
	/** No Range, or one that RFC 9110 section 14.2 lets us ignore: the whole representation is sent. */
	| {readonly kind: 'whole'}
	/** In the order asked for, none overlapping another. */
	| {readonly kind: 'ranges'; readonly ranges: readonly ByteRange[]}
	| {readonly kind: 'unsatisfiable'};

/** More ranges than a player or a repairing gateway has use for are ignored: each costs a seek and a part header. */
export const rangesMax = 256;

const rangeSpecifier = /^(\d{1,15})-(\d{0,15})$|^-(\d{1,15})$/u;

/** Parses a Range header (RFC 9110 section 14.1.2) against a size and coalesces what overlaps or touches. */
export const parseByteRanges = (header: string | undefined, sizeBytes: number): RangeAnswer => {
	const unit = header === undefined ? null : /^bytes=(.+)$/iu.exec(header);
	if (unit?.[1] === undefined) {
		return {kind: 'whole'};
	}
	const specifiers = unit[1].split(',', rangesMax + 1).map((text) => text.trim());
	const asked = specifiers.filter((text) => text !== '');
	if (asked.length === 0 || specifiers.length > rangesMax) {
		return {kind: 'whole'};
	}
	const ranges: ByteRange[] = [];
	for (const text of asked) {
		const specifier = rangeSpecifier.exec(text);
		if (specifier === null) {
			return {kind: 'whole'};
		}
		const range = resolveRange(specifier, sizeBytes);
		if (range === 'invalid') {
			return {kind: 'whole'};
		}
		if (range !== undefined) {
			ranges.push(range);
		}
	}
	return ranges.length === 0 ? {kind: 'unsatisfiable'} : {kind: 'ranges', ranges: coalesceRanges(ranges)};
};

/** Undefined when the range lies outside of the representation. */
const resolveRange = (specifier: RegExpExecArray, sizeBytes: number): ByteRange | 'invalid' | undefined => {
	const [, first, last, suffix] = specifier;
	if (suffix !== undefined) {
		const lengthBytes = Math.min(Number(suffix), sizeBytes);
		return lengthBytes === 0 ? undefined : {start: sizeBytes - lengthBytes, end: sizeBytes - 1};
	}
	const start = Number(first);
	const end = last === '' || last === undefined ? Number.POSITIVE_INFINITY : Number(last);
	if (end < start) {
		return 'invalid';
	}
	return start >= sizeBytes ? undefined : {start, end: Math.min(end, sizeBytes - 1)};
};

/** Each range stays where the first of those that it swallowed stood (RFC 9110 section 15.3.7.2). */
const coalesceRanges = (ranges: readonly ByteRange[]): readonly ByteRange[] => {
	const byStart = ranges.map((range, order) => ({...range, order})).sort((a, b) => a.start - b.start);
	const merged: {start: number; end: number; order: number}[] = [];
	for (const range of byStart) {
		const last = merged.at(-1);
		if (last !== undefined && range.start <= last.end + 1) {
			last.end = Math.max(last.end, range.end);
			last.order = Math.min(last.order, range.order);
		} else {
			merged.push({...range});
		}
	}
	return merged.sort((a, b) => a.order - b.order).map(({start, end}) => ({start, end}));
};

export const lengthOfRange = ({start, end}: ByteRange): number => end - start + 1;

/** The value of Content-Range (RFC 9110 section 14.4). */
export const contentRangeOf = ({start, end}: ByteRange, sizeBytes: number): string =>
	`bytes ${start}-${end}/${sizeBytes}`;
