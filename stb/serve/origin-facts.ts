import type {IncomingHttpHeaders} from 'node:http';
import {type Priority, prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {contentTypeOf} from '#appliance/http/content-type-of.ts';

/** What an origin's answer says about an object. */
export type OriginFacts = {
	/** Undefined when it comes chunked or encoded. */
	readonly sizeBytes: number | undefined;
	readonly contentType: string;
	/** Strong ones only. */
	readonly entityTag: string | undefined;
	/** The digest that the tag is, as on every server of ours. */
	readonly sha256: string | undefined;
	readonly freshUntilMs: number | undefined;
	readonly expiresMs: number | undefined;
	readonly priority: Priority;
	readonly storable: boolean;
};

/** A manifest about which the origin says nothing may change with the next segment. */
const manifestFreshMs = 1000;
const manifestPath = /\.(?:mpd|m3u8)$/iu;
const contentTypeCharactersMax = 200;

export const originFactsOf = (headers: IncomingHttpHeaders, path: string, nowMs: number): OriginFacts => {
	const tag = headers.etag?.startsWith('"') === true ? headers.etag : undefined;
	const plain = headers['transfer-encoding'] === undefined && headers['content-encoding'] === undefined;
	const length = Number(headers['content-length'] ?? Number.NaN);
	const contentType = headers['content-type'];
	const directives = (headers['cache-control'] ?? '').toLowerCase();
	const expiresMs = Date.parse(String(headers['streamverse-expires'] ?? ''));
	const priority = prioritySchema.safeParse(headers['streamverse-priority']);
	return {
		sizeBytes: plain && Number.isSafeInteger(length) && length >= 0 ? length : undefined,
		contentType:
			contentType !== undefined && contentType.length <= contentTypeCharactersMax ? contentType : contentTypeOf(path),
		entityTag: tag,
		sha256: /^"([0-9a-f]{64})"$/u.exec(tag ?? '')?.[1],
		freshUntilMs: freshUntilOf(directives, headers.age, path, nowMs),
		expiresMs: Number.isNaN(expiresMs) ? undefined : expiresMs,
		priority: priority.success ? priority.data : 'medium',
		storable: !/\b(?:no-store|private)\b/u.test(directives) && headers['content-encoding'] === undefined,
	};
};

const freshUntilOf = (directives: string, age: string | undefined, path: string, nowMs: number): number | undefined => {
	if (directives.includes('immutable')) {
		return undefined;
	}
	const seconds = /\bno-cache\b/u.test(directives) ? '0' : /\b(?:s-maxage|max-age)=(\d{1,9})\b/u.exec(directives)?.[1];
	if (seconds !== undefined) {
		return nowMs + Math.max(0, Number(seconds) - (Number(age) || 0)) * 1000;
	}
	return manifestPath.test(path) ? nowMs + manifestFreshMs : undefined;
};
