export type ContentRange = {
	readonly offset: number;
	readonly length: number;
	/** Absent where the server wrote `*`. */
	readonly totalBytes?: number;
};

const pattern = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/u;

/** Parses `Content-Range: bytes a-b/total` (RFC 9110 section 14.4); undefined for anything that makes no sense. */
export const parseContentRange = (text: string | null | undefined): ContentRange | undefined => {
	const match = pattern.exec((text ?? '').trim());
	if (match === null) {
		return undefined;
	}
	const [first, last] = [Number(match[1]), Number(match[2])];
	const totalBytes = match[3] === '*' ? undefined : Number(match[3]);
	if (last < first || (totalBytes !== undefined && last >= totalBytes)) {
		return undefined;
	}
	return {offset: first, length: last - first + 1, ...(totalBytes === undefined ? {} : {totalBytes})};
};
