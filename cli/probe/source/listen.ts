import {isIPv6} from 'node:net';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Analysis} from '#cli/probe/analysis.ts';
import {openPacketReceiver, type PacketEndpoint} from '#native/packet/packet.ts';

/** Endpoints that are joined at most; the list of them came through the air. */
const endpointsMax = 64;
const followIntervalMs = 500;
const udpHeaderBytes = 8;
const ipHeaderBytes = (group: string): number => (isIPv6(group) ? 40 : 20);

export type ListenOptions = {
	readonly endpoint: PacketEndpoint;
	readonly forMs: number;
	/** Also what the announcement lists. */
	readonly follows: boolean;
	readonly signal: AbortSignal;
	readonly onProgress: (bytes: number) => void;
};

/** Listens to a group for a while, and to what is announced there. Throws NATIVE_PACKET_…. */
export const listen = async (
	analysis: Analysis,
	{endpoint, forMs, follows, signal, onProgress}: ListenOptions,
): Promise<{readonly bytes: number}> => {
	const joined = new Map<number, PacketEndpoint>();
	const names = new Set<string>();
	let bytes = 0;
	await using receiver = openPacketReceiver({
		onBatch: (batch) => {
			const timeMs = performance.timeOrigin + performance.now();
			let at = 0;
			for (const [index, length] of batch.lengths.entries()) {
				const from = joined.get(batch.endpoints[index] ?? -1);
				const payload = batch.bytes.subarray(at, at + length);
				at += length;
				if (from !== undefined) {
					const {group, port} = from;
					analysis.takeDatagram({
						...{group, port, payload, timeMs},
						wireBytes: length + udpHeaderBytes + ipHeaderBytes(group),
					});
				}
			}
			bytes += batch.bytes.length;
			onProgress(bytes);
		},
	});
	const join = (each: PacketEndpoint): void => {
		const name = `${each.group.toLowerCase()} ${each.port}`;
		if (!names.has(name) && names.size < endpointsMax) {
			names.add(name);
			joined.set(receiver.join(each), each);
		}
	};
	join(endpoint);
	const endMs = performance.now() + forMs;
	while (!signal.aborted && performance.now() < endMs) {
		await sleep(Math.max(1, Math.min(followIntervalMs, endMs - performance.now())), {signal}).catch(() => undefined);
		for (const {group, port, source} of follows ? analysis.announcement.endpoints : []) {
			try {
				const {interfaceAddress} = endpoint;
				join({group, port, ...(source && {source}), ...(interfaceAddress && {interfaceAddress})});
			} catch (error) {
				const message = `The announced session cannot be joined: ${errorMessage(error)}`;
				const where = `${group}:${port}`;
				analysis.findings.add({severity: 'warning', clause: 'TS 103 769 clause 10.2', where, message});
			}
		}
	}
	const {kernelDrops, dropped} = receiver.stats();
	if (kernelDrops + dropped > 0) {
		analysis.findings.add(
			{
				severity: 'note',
				clause: 'this machine',
				where: 'the receiver',
				message: 'Datagrams that this machine was too slow to take; they count as lost above',
			},
			kernelDrops + dropped,
		);
	}
	return {bytes};
};
