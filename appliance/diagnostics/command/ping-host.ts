import {connect} from 'node:net';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {CodedError, errorCode, hasCode} from '#appliance/error/coded-error.ts';

export type PingResult = {
	readonly host: string;
	readonly method: 'icmp' | 'tcp';
	readonly sent: number;
	readonly received: number;
	readonly minMs?: number;
	readonly meanMs?: number;
	readonly maxMs?: number;
};

const tcpPorts = [443, 80] as const;
const tcpTimeoutMs = 3000;
const outputBytesMax = 64 * 1024;

/** A host name or an address, and nothing that `ping` could take for an option. */
const hostPattern = /^(?!-)[A-Za-z0-9_.:%-]{1,253}$/u;

/** By ICMP where the system's ping may, else by opening TCP connections: a refusal is an answer, too. */
export const pingHost = async (
	{host, count}: {readonly host: string; readonly count: number},
	{signal}: {readonly signal: AbortSignal},
): Promise<PingResult> => {
	if (!hostPattern.test(host)) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_PERMITTED', {message: 'This is no name of a host.'});
	}
	try {
		const args = ['-n', '-q', '-c', `${count}`, '-i', '0.3', '-W', '2', '--', host];
		const {output, exitCode, errorText} = await runTool('ping', {args, bytesMax: outputBytesMax, signal});
		const result = parsePing(output.toString('utf8'), host);
		if (result !== undefined) {
			return result;
		}
		if (!/not permitted|lacking privilege/iu.test(errorText)) {
			throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {
				message: `ping failed: ${errorText.trim() || exitCode}`,
			});
		}
	} catch (error) {
		if (!hasCode(error, 'DIAGNOSTICS_NOT_HERE')) {
			throw error;
		}
	}
	return await pingByTcp({host, count}, signal);
};

/** The last two lines of `ping -q` (iputils and BusyBox). */
export const parsePing = (text: string, host: string): PingResult | undefined => {
	const counts = /(\d+) packets transmitted, (\d+)(?: packets)? received/u.exec(text);
	if (counts === null) {
		return undefined;
	}
	const times = /(?:rtt|round-trip) min\/avg\/max(?:\/\w+)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/u.exec(text);
	return {
		...{host, method: 'icmp', sent: Number(counts[1]), received: Number(counts[2])},
		...(times === null ? {} : {minMs: Number(times[1]), meanMs: Number(times[2]), maxMs: Number(times[3])}),
	};
};

const pingByTcp = async (
	{host, count}: {readonly host: string; readonly count: number},
	signal: AbortSignal,
): Promise<PingResult> => {
	const times: number[] = [];
	for (let turn = 0; turn < count; turn += 1) {
		signal.throwIfAborted();
		const startedMs = performance.now();
		const answered = await Promise.any(tcpPorts.map((port) => connects(host, port, signal))).catch(() => false);
		if (answered) {
			times.push(Math.round((performance.now() - startedMs) * 100) / 100);
		}
	}
	const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
	return {
		...{host, method: 'tcp', sent: count, received: times.length},
		...(times.length === 0 ? {} : {minMs: Math.min(...times), meanMs: mean, maxMs: Math.max(...times)}),
	};
};

const connects = async (host: string, port: number, signal: AbortSignal): Promise<true> => {
	const {promise, resolve, reject} = Promise.withResolvers<true>();
	const limit = AbortSignal.any([signal, AbortSignal.timeout(tcpTimeoutMs)]);
	const socket = connect({host, port, signal: limit});
	socket.on('connect', () => resolve(true));
	socket.on('error', (error) => (errorCode(error) === 'ECONNREFUSED' ? resolve(true) : reject(error)));
	try {
		return await promise;
	} finally {
		socket.destroy();
	}
};
