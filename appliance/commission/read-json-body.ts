import type {IncomingMessage} from 'node:http';
import type {z} from 'zod';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {HttpErrorCode} from '#appliance/http/create-app.ts';

/** A request's body as its schema has it; one of more bytes is refused while it comes. */
export const readJsonBody = async <Schema extends z.ZodType>(
	request: IncomingMessage,
	options: {readonly bytesMax: number; readonly schema: Schema},
): Promise<z.output<Schema>> => {
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		if (sizeBytes > options.bytesMax) {
			throw new CodedError<HttpErrorCode>('HTTP_TOO_LARGE', {message: `At most ${options.bytesMax} bytes are read.`});
		}
		chunks.push(chunk);
	}
	const {data, error} = options.schema.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')));
	if (error !== undefined) {
		throw badRequest(error);
	}
	return data;
};

const parseJson = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw badRequest(error);
	}
};

const badRequest = (cause: unknown): Error =>
	new CodedError<HttpErrorCode>('HTTP_BAD_REQUEST', {message: 'The request is not what this address takes.', cause});
