import {entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {contentStampSeconds} from '#stb/cache/content-stamp.ts';

export type DataPlane = 'node' | 'nginx';

/** The ETag that nginx makes of a cached file: its modification time, which is the content's stamp, and its size. */
export const nginxEntityTag = (sha256: string, sizeBytes: number): string =>
	`"${contentStampSeconds(sha256).toString(16)}-${sizeBytes.toString(16)}"`;

/**
 * One object has one ETag on a box, whoever answers: the digest, or, where nginx sends hits, the tag that nginx writes.
 * The other one is accepted as well, for players that come from a pop-node or from before a change of the data plane.
 */
export const entityTagsFor = (
	plane: DataPlane,
	{sha256, sizeBytes}: {readonly sha256: string; readonly sizeBytes: number},
): {readonly entityTag: string; readonly entityTagAliases: readonly string[]} => {
	const digestTag = entityTagOf(sha256);
	const nginxTag = nginxEntityTag(sha256, sizeBytes);
	return plane === 'nginx'
		? {entityTag: nginxTag, entityTagAliases: [digestTag]}
		: {entityTag: digestTag, entityTagAliases: [nginxTag]};
};
