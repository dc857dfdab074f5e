import {z} from 'zod';
import {
	type CatalogueChange,
	type CatalogueObject,
	type CataloguePage,
	catalogueChangeSchema,
	cataloguePageSchema,
	sha256Schema,
} from '#appliance/contract/catalogue-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';
import {readEventData} from '#pop-node/ingest/event-stream.ts';

const pageObjects = 500;
const pageBytesMax = 4 * 1024 * 1024;

export type HeadendClientOptions = {
	readonly headendUrl: string;
	readonly answerTimeoutMs: number;
	readonly feedIdleMs: number;
	readonly bytesPerSecondMin: number;
};

export type HeadendAnswer = {
	readonly status: number;
	readonly headers: Headers;
	readonly body: AsyncIterable<Uint8Array>;
};

export type HeadendClient = ReturnType<typeof createHeadendClient>;

/** The headend's HTTP contract from the side that asks. Every answer is bounded in time and, where we hold it, in bytes. */
export const createHeadendClient = (options: HeadendClientOptions) => {
	const base = options.headendUrl.replace(/\/+$/u, '');

	/** The deadline guards the way to the headers; the body has its own, by its length. */
	const ask = async (path: string, init: RequestInit & {readonly signal: AbortSignal}): Promise<Response> => {
		const deadline = new AbortController();
		const timer = AbortSignal.timeout(options.answerTimeoutMs);
		const expire = (): void => deadline.abort(timer.reason);
		timer.addEventListener('abort', expire);
		try {
			return await fetch(`${base}${path}`, {
				...init,
				redirect: 'error',
				headers: {'Accept-Encoding': 'identity', ...init.headers},
				signal: AbortSignal.any([init.signal, deadline.signal]),
			});
		} catch (error) {
			init.signal.throwIfAborted();
			throw unreachable(error, {path});
		} finally {
			timer.removeEventListener('abort', expire);
		}
	};

	return {
		page: async (after: string | undefined, signal: AbortSignal): Promise<CataloguePage> => {
			const query = new URLSearchParams({limit: String(pageObjects), ...(after === undefined ? {} : {after})});
			const response = await ask(`/catalogue?${query}`, {signal});
			await requireOk(response, '/catalogue');
			return parseAnswer(cataloguePageSchema, await textOf(response, pageBytesMax));
		},
		/** Changes after `since`; ends with an error when the headend goes or is silent for too long. */
		feed: async function* (since: number, signal: AbortSignal): AsyncGenerator<CatalogueChange> {
			const response = await ask(`/catalogue/feed?since=${since}`, {signal, headers: {Accept: 'text/event-stream'}});
			await requireOk(response, '/catalogue/feed');
			for await (const data of readEventData(untilIdle(bodyOf(response), options.feedIdleMs, signal))) {
				yield parseAnswer(catalogueChangeSchema, data);
			}
			throw unreachable(new Error('the feed ended'), {since});
		},
		/** An object's bytes, from an offset if `range` is given; the caller judges the status. */
		get: async (
			/** As the catalogue has it: percent-encoded and relative. */
			path: string,
			request: {
				readonly signal: AbortSignal;
				/** To the object's end unless `end` (inclusive) is given. */
				readonly range?: {readonly offset: number; readonly end?: number; readonly entityTag: string};
				readonly expectedBytes?: number;
				readonly ifNoneMatch?: string;
			},
		): Promise<HeadendAnswer> => {
			const {range, ifNoneMatch, expectedBytes = 0} = request;
			const bodyMs = Math.ceil((expectedBytes / options.bytesPerSecondMin) * 1000) + options.answerTimeoutMs;
			const signal = AbortSignal.any([request.signal, AbortSignal.timeout(Math.min(bodyMs, 2 ** 31 - 1))]);
			const response = await ask(`/catalogue/${path}`, {
				signal,
				headers: {
					...(range === undefined
						? {}
						: {Range: `bytes=${range.offset}-${range.end ?? ''}`, 'If-Range': range.entityTag}),
					...(ifNoneMatch === undefined ? {} : {'If-None-Match': ifNoneMatch}),
				},
			});
			return {status: response.status, headers: response.headers, body: bodyOf(response)};
		},
	};
};

/** What the headers of an object's answer say of it, for objects that the catalogue has not told us of yet. */
export const describeAnswer = (
	answer: HeadendAnswer,
	object: {readonly path: string; readonly uri: string},
): CatalogueObject => {
	const sha256 = sha256Schema.safeParse(answer.headers.get('etag')?.replaceAll('"', ''));
	const sizeBytes = z
		.int()
		.min(0)
		.safeParse(Number(answer.headers.get('content-length') ?? Number.NaN));
	if (!sha256.success || !sizeBytes.success) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_INVALID', {
			message: 'The headend sends an object without its digest or its length.',
			details: {path: object.path},
		});
	}
	const expiresMs = Date.parse(answer.headers.get('streamverse-expires') ?? '');
	return {
		...object,
		sha256: sha256.data,
		sizeBytes: sizeBytes.data,
		contentType: answer.headers.get('content-type')?.slice(0, 200) ?? 'application/octet-stream',
		// The feed brings the true priority; until then it ranks as what is asked for.
		priority: 'medium',
		revision: 0,
		...(Number.isNaN(expiresMs) ? {} : {expiresMs}),
	};
};

const unreachable = (cause: unknown, details: Readonly<Record<string, unknown>>): CodedError =>
	new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
		message: `The headend does not answer: ${errorMessage(cause)}.`,
		cause,
		details: {...details, status: 502},
		retryable: true,
	});

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
	if (response.body !== null) {
		yield* response.body;
	}
}

const requireOk = async (response: Response, path: string): Promise<void> => {
	if (response.status !== 200) {
		await response.body?.cancel();
		throw unreachable(new Error(`it answers ${response.status}`), {path, status: response.status});
	}
};

const textOf = async (response: Response, bytesMax: number): Promise<string> => {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of bodyOf(response)) {
		bytes += chunk.length;
		if (bytes > bytesMax) {
			throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_INVALID', {
				message: 'An answer of the headend is too large.',
				details: {bytesMax},
			});
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
};

const parseAnswer = <Output>(schema: z.ZodType<Output>, text: string): Output => {
	try {
		return schema.parse(JSON.parse(text));
	} catch (error) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_INVALID', {
			message: 'The headend’s answer is not its contract; are both boxes of the same release?',
			cause: error,
			details: {beginning: text.slice(0, 200)},
		});
	}
};

/** Passes chunks on and fails when none comes for `idleMs`: a peer that vanished sends no FIN. */
async function* untilIdle(
	chunks: AsyncGenerator<Uint8Array>,
	idleMs: number,
	signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
	while (true) {
		const idle = AbortSignal.timeout(idleMs);
		const {promise: silence, reject} = Promise.withResolvers<never>();
		const onIdle = (): void => reject(unreachable(new Error(`silent for ${idleMs} ms`), {idleMs}));
		idle.addEventListener('abort', onIdle);
		try {
			const next = await Promise.race([chunks.next(), silence]);
			if (next.done === true) {
				return;
			}
			yield next.value;
		} finally {
			idle.removeEventListener('abort', onIdle);
			signal.throwIfAborted();
		}
	}
}
