import {createReadStream} from 'node:fs';
import {Readable} from 'node:stream';
import {AwsClient} from 'aws4fetch';
import {type ByteRange, lengthOfRange} from '#appliance/http/byte-ranges.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {ObjectBody, ObjectStore, ObjectStoreSettings} from '#ota/fleet/object/object-store.ts';

export type ObjectStoreErrorCode = 'OTA_OBJECT_STORE_FAILED';

const bufferedBytesMax = 256 * 1024;
const askTimeoutMs = 30_000;
/** For one object; the store is near, and a bundle of a release is gigabytes. */
const transferTimeoutMs = 3_600_000;
const attemptsMax = 3;
const retry = {initialMs: 100, maxMs: 1000};

type Ask = {
	readonly method: 'DELETE' | 'GET' | 'HEAD' | 'PUT';
	readonly key: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: ObjectBody['body'] | undefined;
	readonly signal: AbortSignal;
};

/** A store that speaks S3, signed with Signature Version 4. */
export const createS3Objects = (settings: ObjectStoreSettings): ObjectStore => {
	const {region, accessKeyId, secretAccessKey} = settings;
	const client = new AwsClient({accessKeyId, secretAccessKey, region, service: 's3'});
	const base = settings.url.replace(/\/+$/u, '');
	const ask = (what: Ask): Promise<Response> => askPatiently(client, base, what);
	return {
		size: async (key) => {
			const answer = await ask({method: 'HEAD', key, signal: AbortSignal.timeout(askTimeoutMs)});
			if (answer.status === 404) {
				return undefined;
			}
			return Number((await requireOk(answer)).headers.get('content-length') ?? 0);
		},
		put: async (key, {body, sha256, signal}) => {
			const sizeBytes = Buffer.isBuffer(body) ? body.length : body.sizeBytes;
			const answer = await ask({
				...{method: 'PUT', key, body, signal: withDeadline(signal, transferTimeoutMs)},
				headers: {'content-length': String(sizeBytes), 'x-amz-content-sha256': sha256},
			});
			await (await requireOk(answer)).body?.cancel();
		},
		read: (key, range, {signal}) => readRange(ask, {key, range, signal: withDeadline(signal, transferTimeoutMs)}),
		remove: async (key) => {
			const answer = await ask({method: 'DELETE', key, signal: AbortSignal.timeout(askTimeoutMs)});
			await (answer.status === 404 ? answer : await requireOk(answer)).body?.cancel();
		},
	};
};

const withDeadline = (signal: AbortSignal | undefined, timeoutMs: number): AbortSignal =>
	signal === undefined ? AbortSignal.timeout(timeoutMs) : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);

/** Each of these may be done twice. A file is read once only: whoever sent it sends it again. */
const askPatiently = async (client: AwsClient, base: string, what: Ask): Promise<Response> => {
	const attempts = what.body === undefined || Buffer.isBuffer(what.body) ? attemptsMax : 1;
	for (let attempt = 1; ; attempt += 1) {
		try {
			const answer = await askOnce(client, base, what);
			if (attempt === attempts || (answer.status < 500 && answer.status !== 429)) {
				return answer;
			}
			await answer.body?.cancel();
		} catch (error) {
			what.signal.throwIfAborted();
			if (attempt === attempts) {
				throw storeFailed('it could not be reached', error);
			}
		}
		await sleep(backoffMs(attempt - 1, retry), {signal: what.signal});
	}
};

const askOnce = async (client: AwsClient, base: string, what: Ask): Promise<Response> => {
	const {method, key, headers = {}, body, signal} = what;
	const signed = await client.sign(`${base}/${key}`, {method, headers});
	return await fetch(signed.url, {
		...{method, signal, headers: {...Object.fromEntries(signed.headers), ...headers}},
		// What boxes sent goes to the store that was named, and nowhere that it points to.
		redirect: 'manual',
		...(body === undefined ? {} : bodyOf(body)),
	});
};

const bodyOf = (body: ObjectBody['body']): Pick<RequestInit, 'body' | 'duplex'> =>
	Buffer.isBuffer(body)
		? {body: new Uint8Array(body)}
		: {body: Readable.toWeb(createReadStream(body.path, {highWaterMark: bufferedBytesMax})), duplex: 'half'};

async function* readRange(
	ask: (what: Ask) => Promise<Response>,
	{key, range, signal}: {readonly key: string; readonly range: ByteRange; readonly signal: AbortSignal},
): AsyncGenerator<Uint8Array, void, void> {
	const answer = await requireOk(
		await ask({method: 'GET', key, headers: {range: `bytes=${range.start}-${range.end}`}, signal}),
	);
	let receivedBytes = 0;
	for await (const chunk of answer.body ?? []) {
		receivedBytes += chunk.length;
		yield chunk;
	}
	if (receivedBytes !== lengthOfRange(range)) {
		throw storeFailed(`it sent ${receivedBytes} bytes instead of ${lengthOfRange(range)}`);
	}
}

const requireOk = async (answer: Response): Promise<Response> => {
	if (!answer.ok) {
		await answer.body?.cancel();
		throw storeFailed(`it answered ${answer.status}`);
	}
	return answer;
};

const storeFailed = (why: string, cause?: unknown): Error =>
	apiError<ObjectStoreErrorCode>('OTA_OBJECT_STORE_FAILED', {
		status: 502,
		message: `The store of objects failed: ${why}.`,
		cause,
	});
