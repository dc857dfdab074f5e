export type RangePart = {readonly start: number; readonly end: number; readonly bytes: Buffer};

const contentRange = /bytes (\d+)-(\d+)\//u;

/** The parts of a 206 answer, be it one range or `multipart/byteranges`; throws when it is not well formed. */
export const parseMultipart = (headers: Headers, body: Buffer): readonly RangePart[] => {
	const boundary = /boundary=(\S+)/u.exec(headers.get('content-type') ?? '')?.[1];
	if (boundary === undefined) {
		return [{...boundsOf(headers.get('content-range') ?? ''), bytes: body}];
	}
	const parts: RangePart[] = [];
	let at = 0;
	for (;;) {
		const head = body.indexOf('\r\n\r\n', at);
		const delimiter = body.subarray(at, head === -1 ? body.length : head).toString('latin1');
		if (head === -1) {
			if (delimiter !== `\r\n--${boundary}--\r\n`) {
				throw new Error(`The last delimiter is ${JSON.stringify(delimiter)}.`);
			}
			return parts;
		}
		if (!delimiter.startsWith(`${parts.length === 0 ? '' : '\r\n'}--${boundary}\r\n`)) {
			throw new Error(`A delimiter is ${JSON.stringify(delimiter)}.`);
		}
		const {start, end} = boundsOf(delimiter);
		at = head + 4 + end - start + 1;
		parts.push({start, end, bytes: body.subarray(head + 4, at)});
	}
};

const boundsOf = (text: string): {readonly start: number; readonly end: number} => {
	const match = contentRange.exec(text);
	if (match === null) {
		throw new Error(`There is no Content-Range in ${JSON.stringify(text)}.`);
	}
	return {start: Number(match[1]), end: Number(match[2])};
};
