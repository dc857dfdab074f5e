import {objectUriOfPath, parseObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';

const partialRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/u;

/**
 * Takes from the set-top's own serve what the satellite has brought: the object, or as long as it arrives those of its
 * ranges that are whole. `only-if-cached` (RFC 9111 section 5.2.1.7) keeps the role from asking its origin, which would
 * be unicast by another name. Ends when nothing lacks, or when the order's patience does.
 */
export const fetchFromCarousel = async (
	{objectUri, waitMs}: {readonly objectUri: string; readonly waitMs: number},
	context: FetchContext,
): Promise<void> => {
	const {part, limits, signal, logger} = context;
	for (;;) {
		try {
			await takeWhatIsThere(objectUri, context);
		} catch (error) {
			signal.throwIfAborted();
			if (!(error instanceof CodedError) || hasCode(error, 'OTA_FAILED_ROOM', 'OTA_FETCH_CHANGED')) {
				throw error;
			}
			logger.debug({err: error}, 'the role does not answer; it may be restarting');
		}
		const leftMs = waitMs - part.spentMs();
		if (part.isWhole() || leftMs <= 0) {
			return;
		}
		await part.checkpointIfDue();
		await sleep(Math.min(limits.carouselPollMs, leftMs), {signal});
	}
};

const takeWhatIsThere = async (objectUri: string, context: FetchContext): Promise<void> => {
	const roleUrl = context.roleUrl();
	if (roleUrl === undefined) {
		return;
	}
	const url = `${roleUrl}${pathOfObjectUri(objectUriOfPath(pathOfObjectUri(parseObjectUri(objectUri))))}`;
	for (const [from, to] of context.part.missing()) {
		let position = from;
		while (position < to) {
			const next = await takeNext(url, position, to, context);
			if (next === undefined) {
				break;
			}
			position = next;
		}
	}
};

/** Takes the first run that is there in [from, to), which may begin later; answers its end, undefined when there is none. */
const takeNext = async (url: string, from: number, to: number, context: FetchContext): Promise<number | undefined> => {
	const {part, bundle, limits, signal} = context;
	let [offset, end, received] = [0, 0, 0];
	let there = true;
	await requestBytes(
		{url, headers: {range: `bytes=${from}-${to - 1}`, 'cache-control': 'only-if-cached'}, limits, signal},
		({statusCode, headers}) => {
			// 504: not here (RFC 9111 section 5.2.1.7). 404: neither here nor known.
			if (statusCode === 504 || statusCode === 404) {
				there = false;
				return;
			}
			const match = partialRange.exec(headers['content-range'] ?? '');
			[offset, end] = [Number(match?.[1]), Number(match?.[2]) + 1];
			const total = match?.[3] ?? headers['content-range']?.split('/')[1];
			if ((statusCode === 206 || statusCode === 416) && Number(total) !== bundle.sizeBytes) {
				throw otherObject('The object in the cache is not as long as the bundle.');
			}
			if (statusCode !== 206 || match === null || offset < from || end > to || end <= offset) {
				throw unavailable(statusCode);
			}
			requireDigest(headers.etag, bundle.sha256);
		},
		async (bytes) => {
			if (!there) {
				return;
			}
			const wanted = bytes.subarray(0, end - offset - received);
			part.count('carousel', wanted.length);
			await part.write(offset + received, wanted);
			received += wanted.length;
		},
	);
	return there && received > 0 ? offset + received : undefined;
};

/** Where the role tags objects by their digest, another digest is another object. */
const requireDigest = (entityTag: string | undefined, sha256: string): void => {
	const digest = /"(?:sha256-)?([0-9a-f]{64})"/u.exec(entityTag ?? '')?.[1];
	if (digest !== undefined && digest !== sha256) {
		throw otherObject('The object in the cache has another digest than the bundle.');
	}
};

const otherObject = (message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_CHANGED', {message});

const unavailable = (status: number | undefined): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_UNAVAILABLE', {message: `The role answered ${status}.`, retryable: true});
