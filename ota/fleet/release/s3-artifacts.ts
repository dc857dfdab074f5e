import {createReadStream} from 'node:fs';
import {rm} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {AwsClient} from 'aws4fetch';
import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import {lengthOfRange} from '#appliance/http/byte-ranges.ts';
import {generatorBody} from '#appliance/http/generator-body.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';
import {releaseServerError} from '#ota/fleet/release/release-server-error.ts';

export type S3Options = {
	/** `https://s3.example/bucket`, and a folder in it if wanted. */
	readonly url: string;
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
};

const bufferedBytesMax = 256 * 1024;
const askTimeoutMs = 30_000;
/** For a whole bundle; the store is near, and a bundle is gigabytes. */
const sendTimeoutMs = 3_600_000;

/** Artifacts in a store that speaks S3. Boxes never see it: the fleet server passes its ranges on, and counts them. */
export const createS3Artifacts = (options: S3Options): ArtifactStore => {
	const {region, accessKeyId, secretAccessKey} = options;
	const client = new AwsClient({accessKeyId, secretAccessKey, region, service: 's3', retries: 2});
	const urlOf = (sha256: Sha256): string => `${options.url.replace(/\/+$/u, '')}/${sha256}`;
	const size = async (sha256: Sha256): Promise<number | undefined> => {
		const answer = await client.fetch(urlOf(sha256), {method: 'HEAD', signal: AbortSignal.timeout(askTimeoutMs)});
		if (answer.status === 404) {
			return undefined;
		}
		return Number(requireOk(answer).headers.get('content-length') ?? 0);
	};
	return {
		size,
		take: async (sha256, {path, sizeBytes, signal}) => {
			const signed = await client.sign(urlOf(sha256), {
				method: 'PUT',
				// The digest was verified here, and again by the store while it receives.
				headers: {'content-length': String(sizeBytes), 'x-amz-content-sha256': sha256},
			});
			const answer = await fetch(signed.url, {
				method: 'PUT',
				headers: {...Object.fromEntries(signed.headers), 'content-length': String(sizeBytes)},
				body: Readable.toWeb(createReadStream(path, {highWaterMark: bufferedBytesMax})),
				duplex: 'half',
				signal: AbortSignal.any([signal, AbortSignal.timeout(sendTimeoutMs)]),
			});
			await requireOk(answer).body?.cancel();
			await rm(path, {force: true});
		},
		open: async (sha256) => {
			const sizeBytes = await size(sha256);
			return sizeBytes === undefined
				? undefined
				: {sizeBytes, close: () => Promise.resolve(), body: (parts) => bodyOf(client, urlOf(sha256), parts)};
		},
	};
};

const bodyOf = (client: AwsClient, url: string, parts: readonly BodyPart[]): Readable => {
	const left = new AbortController();
	return generatorBody(readParts(client, url, {parts, signal: left.signal}), {
		bufferedBytesMax,
		onLeft: () => left.abort(),
	});
};

async function* readParts(
	client: AwsClient,
	url: string,
	{parts, signal}: {readonly parts: readonly BodyPart[]; readonly signal: AbortSignal},
): AsyncGenerator<Uint8Array, void, void> {
	for (const part of parts) {
		if (Buffer.isBuffer(part)) {
			yield part;
			continue;
		}
		const answer = requireOk(await client.fetch(url, {headers: {range: `bytes=${part.start}-${part.end}`}, signal}));
		let receivedBytes = 0;
		for await (const chunk of answer.body ?? []) {
			receivedBytes += chunk.length;
			yield chunk;
		}
		if (receivedBytes !== lengthOfRange(part)) {
			throw storeFailed(`it sent ${receivedBytes} bytes instead of ${lengthOfRange(part)}`);
		}
	}
}

const requireOk = (answer: Response): Response => {
	if (!answer.ok) {
		throw storeFailed(`it answered ${answer.status}`);
	}
	return answer;
};

const storeFailed = (why: string): Error =>
	releaseServerError('OTA_ARTIFACT_STORE_FAILED', {status: 502, message: `The store of artifacts failed: ${why}.`});
