import type {FluteRange} from '#native/flute/receiver-event.ts';

const partsMax = 64;

/** An object cut into at most 64 equal parts, each 0..1 complete, from its holes. Pure. */
export const blockMap = (missing: readonly FluteRange[], sizeBytes: number): readonly number[] => {
	const parts = Math.min(partsMax, sizeBytes);
	const partBytes = sizeBytes / parts;
	const lacking = new Array<number>(parts).fill(0);
	for (const {offset, length} of missing) {
		const end = Math.min(sizeBytes, offset + length);
		for (let part = Math.floor(offset / partBytes); part < parts && part * partBytes < end; part += 1) {
			const overlap = Math.min(end, (part + 1) * partBytes) - Math.max(offset, part * partBytes);
			lacking[part] = (lacking[part] ?? 0) + Math.max(0, overlap);
		}
	}
	return lacking.map((bytes) => Math.round(Math.min(1, Math.max(0, 1 - bytes / partBytes)) * 1000) / 1000);
};
