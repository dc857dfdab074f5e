import {z} from 'zod';
import type {IdentifyResult} from '#appliance/diagnostics/command/identify-box.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {readSocket} from '#appliance/diagnostics/read-socket.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

const answerBytesMax = 4096;
const secondsMax = 300;

/** A line each way: how long; then what was done, or why it could not be. */
export const identifySecondsSchema = z.coerce.number().int().min(1).max(secondsMax);
export const identifyAnswerSchema = z.union([
	z.strictObject({led: z.string().nullable(), message: z.string()}),
	z.strictObject({error: z.string()}),
]);

/** As identifyBox, by a helper that may set the lights where this process may not. It ends when it is left. */
export const identifyByHelper =
	(socketPath: string) =>
	async ({seconds, signal}: {readonly seconds: number; readonly signal: AbortSignal}): Promise<IdentifyResult> => {
		const text = (await readSocket(socketPath, {request: `${seconds}\n`, bytesMax: answerBytesMax, signal})).toString();
		const answer = parse(text);
		if ('error' in answer) {
			throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {message: answer.error});
		}
		return answer;
	};

const parse = (text: string): z.infer<typeof identifyAnswerSchema> => {
	try {
		return identifyAnswerSchema.parse(JSON.parse(text));
	} catch {
		return {error: `The helper for the box’s light ended without an answer: ${text.slice(0, 200)}`};
	}
};
