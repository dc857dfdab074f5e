import type {IncomingMessage} from 'node:http';
import {apiError} from '#ota/fleet/api/api-error.ts';

/** A body that is larger is refused before it is read, or as soon as it is. */
export const bodyBytesMax = 256 * 1024;
/** A client that feeds its body by drops holds a connection no longer than this. */
const bodyTimeoutMs = 20_000;

/** A request's JSON; undefined when it has no body. Its type must be JSON, which no form of another site can send. */
export const readJsonBody = async (request: IncomingMessage): Promise<unknown> => {
	const {headers} = request;
	if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') {
		return undefined;
	}
	if (!/^application\/json\s*(;|$)/iu.test(headers['content-type'] ?? '')) {
		throw apiError('OTA_API_TYPE_UNSUPPORTED', {
			status: 415,
			message: 'The body must be application/json.',
		});
	}
	if (Number(headers['content-length'] ?? 0) > bodyBytesMax) {
		throw tooLarge();
	}
	const text = await readText(request);
	try {
		return JSON.parse(text);
	} catch (error) {
		throw apiError('OTA_API_BODY_INVALID', {status: 400, message: 'The body is not JSON.', cause: error});
	}
};

const readText = async (request: IncomingMessage): Promise<string> => {
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	const {promise, resolve, reject} = Promise.withResolvers<string>();
	const timer = setTimeout(
		() =>
			reject(
				apiError('OTA_API_BODY_TOO_SLOW', {status: 408, message: 'The body did not arrive in time: send it again.'}),
			),
		bodyTimeoutMs,
	);
	const onData = (chunk: Buffer): void => {
		sizeBytes += chunk.length;
		if (sizeBytes > bodyBytesMax) {
			reject(tooLarge());
			return;
		}
		chunks.push(chunk);
	};
	request
		.on('data', onData)
		.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
		.once('error', reject)
		.once('close', () => reject(Object.assign(new Error('The client left.'), {code: 'ECONNRESET'})));
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		request.off('data', onData);
	}
};

const tooLarge = (): Error =>
	apiError('OTA_API_BODY_TOO_LARGE', {status: 413, message: `The body is larger than ${bodyBytesMax} bytes.`});
