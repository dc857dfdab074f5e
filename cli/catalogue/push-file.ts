import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {type IncomingMessage, request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import {pipeline} from 'node:stream/promises';
import {z} from 'zod';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** A line that breaks is picked up so often, with growing pauses. */
const attemptsMax = 8;
const answerBytesMax = 1 << 20;

export type PushOptions = {
	readonly filePath: string;
	/** The object's address below `<headend>/catalogue/`. */
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly signal: AbortSignal;
	readonly onProgress: (sentBytes: number, totalBytes: number) => void;
};

const answerSchema = z.object({
	kind: z.enum(['created', 'replaced', 'unchanged']).optional(),
	plan: z.object({fits: z.boolean(), reason: z.string().optional()}).optional(),
	code: z.string().optional(),
	title: z.string().optional(),
});
export type PushAnswer = z.infer<typeof answerSchema> & {readonly status: number};

/**
 * Sends a file as an object and goes on where it stopped when the line breaks. The digest is sent first, so that bytes
 * of another file under the same name are never continued.
 * @throws CodedError CLI_PUSH_FAILED
 */
export const pushFile = async (options: PushOptions): Promise<PushAnswer> => {
	const {size} = await stat(options.filePath);
	const sha256 = createHash('sha256');
	await pipeline(createReadStream(options.filePath), sha256, {signal: options.signal});
	const digest = `sha-256=:${sha256.digest('base64')}:`;
	for (let attempt = 0; ; attempt += 1) {
		try {
			const offset = size === 0 ? 0 : await askOffset(options, {size, digest});
			const answer = await send(options, {size, digest, offset: Math.min(offset, Math.max(0, size - 1))});
			if (answer.status < 300) {
				return answer;
			}
			if (answer.status < 500 && answer.status !== 409 && answer.status !== 429) {
				throw refused(options, answer);
			}
			if (attempt + 1 >= attemptsMax || answer.status === 507) {
				throw refused(options, answer);
			}
		} catch (error) {
			if (error instanceof CodedError || options.signal.aborted || attempt + 1 >= attemptsMax) {
				throw error instanceof CodedError || options.signal.aborted ? error : broken(options, error);
			}
		}
		await sleep(backoffMs(attempt, {initialMs: 250, maxMs: 10_000}), {signal: options.signal});
	}
};

const refused = ({url}: PushOptions, answer: PushAnswer): CodedError =>
	new CodedError('CLI_PUSH_FAILED', {
		message: `The headend refused ${url}: ${answer.title ?? `status ${answer.status}`}`,
		details: {url, status: answer.status, code: answer.code},
	});

const broken = ({url}: PushOptions, cause: unknown): CodedError =>
	new CodedError('CLI_PUSH_FAILED', {
		message: `Cannot send to ${url}: ${errorMessage(cause)}. Is the headend running there?`,
		cause,
		details: {url},
		retryable: true,
	});

const askOffset = async (
	{url, signal}: PushOptions,
	{size, digest}: {readonly size: number; readonly digest: string},
): Promise<number> => {
	const answer = await fetch(url, {
		method: 'HEAD',
		headers: {'Streamverse-Upload': 'status', 'Streamverse-Length': String(size), 'Repr-Digest': digest},
		signal,
	});
	const offset = Number(answer.headers.get('Streamverse-Offset') ?? 0);
	return Number.isSafeInteger(offset) && offset >= 0 && offset <= size ? offset : 0;
};

const send = async (
	{filePath, url, headers, signal, onProgress}: PushOptions,
	{size, digest, offset}: {readonly size: number; readonly digest: string; readonly offset: number},
): Promise<PushAnswer> => {
	const request = url.startsWith('https:') ? requestHttps : requestHttp;
	const outgoing = request(url, {
		method: 'PUT',
		signal,
		headers: {
			...headers,
			'Content-Length': size - offset,
			'Repr-Digest': digest,
			...(offset === 0 ? {} : {'Content-Range': `bytes ${offset}-${size - 1}/${size}`}),
		},
	});
	const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
	let sentBytes = offset;
	const file = createReadStream(filePath, {start: offset, highWaterMark: 1 << 18});
	file.on('data', (chunk) => {
		sentBytes += chunk.length;
		onProgress(sentBytes, size);
	});
	const [[incoming]] = await Promise.all([answered, pipeline(file, outgoing, {signal})]);
	let text = '';
	for await (const chunk of incoming.setEncoding('utf8') as AsyncIterable<string>) {
		text = (text + chunk).slice(0, answerBytesMax);
	}
	return {status: incoming.statusCode ?? 0, ...parseAnswer(text)};
};

const parseAnswer = (text: string): z.infer<typeof answerSchema> => {
	try {
		return answerSchema.parse(JSON.parse(text));
	} catch {
		return {};
	}
};
