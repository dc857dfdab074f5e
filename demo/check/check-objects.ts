import {createHash} from 'node:crypto';
import {z} from 'zod';
import {cachedObjectSchema} from '#appliance/contract/stb-status-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {SourceDigests} from '#demo/watch/source-digests.ts';
import {askBox} from '#demo/watch/watch-boxes.ts';

const requestTimeoutMs = 20_000;
/** Rows of a page that does not say whether there is more. */
const cachePageSchema = z.looseObject({objects: z.array(cachedObjectSchema), next: z.string().optional()});

export type ObjectCheck = {
	readonly checked: number;
	readonly identical: number;
	/** Of those checked, the announcement's own files. */
	readonly signalling: number;
	/** In the cache, and no source knows them. */
	readonly unknown: number;
	/** Left the cache between the listing and the reading. */
	readonly gone: number;
	readonly different: readonly string[];
};

/** Reads every object of the set-top's cache back over HTTP and compares it with what its source was. */
export const checkObjects = async (options: {
	readonly stbUrl: string;
	readonly sources: SourceDigests;
	readonly signal: AbortSignal;
}): Promise<ObjectCheck> => {
	const {stbUrl, sources, signal} = options;
	const count = {checked: 0, identical: 0, signalling: 0, unknown: 0, gone: 0};
	const different: string[] = [];
	await sources.refresh();
	let after = '';
	do {
		const page = await askBox(
			`${stbUrl}/box/cache${after === '' ? '' : `?after=${encodeURIComponent(after)}`}`,
			cachePageSchema,
		);
		for (const {uri} of page.objects) {
			signal.throwIfAborted();
			if (!sources.has(uri)) {
				count.unknown += 1;
				continue;
			}
			const answer = await readDigest(stbUrl + new URL(uri).pathname, signal);
			if (answer.kind === 'gone') {
				count.gone += 1;
				continue;
			}
			count.checked += 1;
			count.signalling += sources.isSignalling(uri) ? 1 : 0;
			if (answer.kind === 'read' && (await isKnown(sources, uri, answer.sha256))) {
				count.identical += 1;
			} else {
				different.push(answer.kind === 'read' ? uri : `${uri}: ${answer.failure}`);
			}
		}
		after = page.next ?? '';
	} while (after !== '');
	return {...count, different};
};

/** A live manifest may be newer than what we have read of the catalogue. */
const isKnown = async (sources: SourceDigests, uri: string, sha256: string): Promise<boolean> => {
	if (!sources.versions(uri).has(sha256)) {
		await sources.refresh();
	}
	return sources.versions(uri).has(sha256);
};

type ReadAnswer =
	| {readonly kind: 'read'; readonly sha256: string}
	| {readonly kind: 'gone'}
	| {readonly kind: 'failed'; readonly failure: string};

const readDigest = async (url: string, signal: AbortSignal): Promise<ReadAnswer> => {
	try {
		const response = await fetch(url, {signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)])});
		if (response.status === 404 || response.status === 410) {
			await response.body?.cancel();
			return {kind: 'gone'};
		}
		if (response.status !== 200) {
			await response.body?.cancel();
			return {kind: 'failed', failure: `the set-top answers ${response.status}`};
		}
		const hash = createHash('sha256');
		for await (const chunk of response.body ?? []) {
			hash.update(chunk);
		}
		return {kind: 'read', sha256: hash.digest('hex')};
	} catch (error) {
		signal.throwIfAborted();
		return {kind: 'failed', failure: errorMessage(error)};
	}
};
