import {once} from 'node:events';
import {createReadStream} from 'node:fs';
import {type IncomingMessage, request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {problemSchema} from '#ota/contract/problem.ts';
import {type Release, type ReleaseArtifact, releaseArtifactSchema, releaseSchema} from '#ota/contract/release-api.ts';
import {artifactPath} from '#ota/release/create-release.ts';
import {releaseError} from '#ota/release/release-error.ts';

/** A line that breaks is picked up so often in a row, with growing pauses. */
const attemptsMax = 8;
const answerBytesMax = 1 << 20;
const answerTimeoutMs = 60_000;

export type FleetTarget = {
	/** `https://fleet.example`, without a path. */
	readonly url: string;
	readonly token: string;
	/** For a fleet whose certificate no public CA signed. */
	readonly caPem?: string;
};

/** Tells a fleet of a release, sends what it lacks, going on where a line broke, and publishes it. */
export const publishRelease = async (options: {
	readonly fleet: FleetTarget;
	readonly directory: string;
	readonly manifest: Buffer;
	readonly signature: Buffer;
	readonly signal: AbortSignal;
	readonly onProgress?: (sha256: string, sentBytes: number, totalBytes: number) => void;
}): Promise<Release> => {
	const {fleet, signal} = options;
	const body = {manifest: options.manifest.toString('base64'), signature: options.signature.toString('base64')};
	const release = releaseSchema.parse(await ask(fleet, {method: 'POST', path: '/releases', json: body, signal}));
	for (const artifact of release.artifacts) {
		await sendArtifact(artifact, options);
	}
	const path = `/releases/${release.release}/publish`;
	return releaseSchema.parse(await ask(fleet, {method: 'POST', path, json: {}, signal}));
};

const sendArtifact = async (
	artifact: ReleaseArtifact,
	{fleet, directory, signal, onProgress}: Parameters<typeof publishRelease>[0],
): Promise<void> => {
	const {sha256, sizeBytes} = artifact;
	const path = `/release-artifacts/${sha256}`;
	let {storedBytes} = artifact;
	for (let failures = 0; storedBytes < sizeBytes; ) {
		try {
			const file = createReadStream(artifactPath(directory, sha256), {start: storedBytes, highWaterMark: 1 << 18});
			let sentBytes = storedBytes;
			file.on('data', (chunk) => {
				sentBytes += chunk.length;
				onProgress?.(sha256, sentBytes, sizeBytes);
			});
			const query = `?offsetBytes=${storedBytes}`;
			const lengthBytes = sizeBytes - storedBytes;
			await ask(fleet, {method: 'PUT', path: path + query, body: file, lengthBytes, signal});
			return;
		} catch (error) {
			failures += 1;
			if (signal.aborted || failures >= attemptsMax || !(error instanceof CodedError) || !error.retryable) {
				throw error;
			}
		}
		await sleep(backoffMs(failures, {initialMs: 250, maxMs: 10_000}), {signal});
		const known = releaseArtifactSchema.parse(await ask(fleet, {method: 'GET', path, signal}));
		failures = known.storedBytes > storedBytes ? 0 : failures;
		({storedBytes} = known);
	}
};

type Asked = {
	readonly method: 'GET' | 'POST' | 'PUT';
	readonly path: string;
	readonly json?: unknown;
	readonly body?: Readable;
	readonly lengthBytes?: number;
	readonly signal: AbortSignal;
};

const ask = async (fleet: FleetTarget, asked: Asked): Promise<unknown> => {
	const url = `${fleet.url.replace(/\/+$/u, '')}/api/v1${asked.path}`;
	const {status, text} = await exchange(url, fleet, asked);
	const answer: unknown = text === '' ? {} : parseJson(text);
	if (status < 300) {
		return answer;
	}
	const problem = problemSchema.partial().safeParse(answer).data;
	throw releaseError('OTA_RELEASE_PUBLISH_FAILED', {
		message: `The fleet refused ${asked.method} ${url}: ${problem?.title ?? `status ${status}`}`,
		details: {url, status, code: problem?.code},
		retryable: status === 409 || status === 408 || status === 429 || (status >= 500 && status !== 507),
	});
};

const exchange = async (
	url: string,
	{token, caPem}: FleetTarget,
	{method, json, body, lengthBytes, signal}: Asked,
): Promise<{readonly status: number; readonly text: string}> => {
	const content = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
	try {
		const outgoing = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
			method,
			signal,
			timeout: answerTimeoutMs,
			...(caPem === undefined ? {} : {ca: caPem}),
			headers: {
				Authorization: `Bearer ${token}`,
				...(content === undefined ? {} : {'Content-Type': 'application/json', 'Content-Length': content.length}),
				...(body === undefined ? {} : {'Content-Type': 'application/octet-stream', 'Content-Length': lengthBytes}),
			},
		});
		outgoing.once('timeout', () => outgoing.destroy(new Error(`Nothing moved for ${answerTimeoutMs} ms.`)));
		const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
		// A server that refuses early closes while bytes are under way: its answer says more than the broken pipe.
		const sent = pipeline(body ?? Readable.from(content === undefined ? [] : [content]), outgoing, {signal});
		sent.catch(() => undefined);
		const [incoming] = await answered;
		let text = '';
		for await (const chunk of incoming.setEncoding('utf8') as AsyncIterable<string>) {
			text = (text + chunk).slice(0, answerBytesMax);
		}
		return {status: incoming.statusCode ?? 0, text};
	} catch (error) {
		signal.throwIfAborted();
		throw releaseError('OTA_RELEASE_PUBLISH_FAILED', {
			message: `Cannot send to ${url}: ${errorMessage(error)}`,
			cause: error,
			details: {url},
			retryable: true,
		});
	}
};

const parseJson = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return {};
	}
};
