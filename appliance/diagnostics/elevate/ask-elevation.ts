import {type ElevationRequest, elevationAnswerSchema} from '#appliance/diagnostics/elevate/elevation-schema.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {readSocket} from '#appliance/diagnostics/read-socket.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

const answerBytesMax = 16 * 1024;

/**
 * Resolves when a root shell sits on the terminal.
 * @throws CodedError with the code of what was wrong with the order, or DIAGNOSTICS_NOT_PERMITTED.
 */
export const askElevation = async (options: {
	readonly socketPath: string;
	readonly request: Omit<ElevationRequest, 'keyChain'> & {readonly keyChain: readonly string[]};
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {socketPath, signal} = options;
	const request = `${JSON.stringify(options.request)}\n`;
	const text = String(await readSocket(socketPath, {request, bytesMax: answerBytesMax, signal}));
	const answer = elevationAnswerSchema.safeParse(parse(text)).data;
	if (answer?.kind === 'opened') {
		return;
	}
	const {code, message} = answer?.reason ?? {
		code: 'DIAGNOSTICS_NOT_PERMITTED' satisfies DiagnosticsErrorCode,
		message: 'Who elevates on this box ended without an answer.',
	};
	throw new CodedError(code, {message});
};

const parse = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};
