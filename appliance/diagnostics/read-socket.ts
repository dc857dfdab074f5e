import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';

/** Connects to the socket of a helper. It is destroyed when the signal aborts, or the caller disposes of it. */
export const connectHelper = async (socketPath: string, {signal}: {readonly signal: AbortSignal}): Promise<Socket> => {
	const socket = connect({path: socketPath, signal});
	try {
		await once(socket, 'connect', {signal});
		return socket;
	} catch (error) {
		socket.destroy();
		signal.throwIfAborted();
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_HERE', {
			message: `${socketPath} is not served on this box: ${errorMessage(error)}`,
			cause: error,
		});
	}
};

/** Everything that a helper says until it ends, at most `bytesMax` of it; `request` is told to it first. */
export const readSocket = async (
	socketPath: string,
	options: {readonly request?: string; readonly bytesMax: number; readonly signal: AbortSignal},
): Promise<Buffer> => {
	const {request, bytesMax, signal} = options;
	const socket = await connectHelper(socketPath, {signal});
	const chunks: Buffer[] = [];
	let leftBytes = bytesMax;
	try {
		if (request !== undefined) {
			socket.write(request);
		}
		for await (const chunk of socket as AsyncIterable<Buffer>) {
			chunks.push(chunk.subarray(0, leftBytes));
			leftBytes -= Math.min(leftBytes, chunk.length);
			if (leftBytes === 0) {
				break;
			}
		}
	} finally {
		socket.destroy();
	}
	return Buffer.concat(chunks);
};
