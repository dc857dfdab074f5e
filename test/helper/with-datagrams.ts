import type {ExecutionContext} from 'ava';
import {openPacketReceiver, type PacketReceiver} from '#native/packet/packet.ts';
import {eventually} from './eventually.ts';
import {freeUdpPort} from './free-udp-port.ts';

export type Datagrams = {
	readonly group: string;
	readonly port: number;
	readonly receiver: PacketReceiver;
	readonly received: readonly Buffer[];
	/** Waits until so many came. */
	readonly atLeast: (count: number) => Promise<readonly Buffer[]>;
};

/** Listens to a multicast group of its own on loopback, and keeps what comes. */
export const withDatagrams = async (
	t: ExecutionContext,
	{group = '239.255.42.1', source}: {readonly group?: string; readonly source?: string} = {},
): Promise<Datagrams> => {
	const port = await freeUdpPort();
	const received: Buffer[] = [];
	const receiver = openPacketReceiver({
		onBatch: ({bytes, lengths}) => {
			let offset = 0;
			for (const length of lengths) {
				received.push(bytes.subarray(offset, offset + length));
				offset += length;
			}
		},
	});
	t.teardown(() => receiver.close());
	receiver.join({group, port, interfaceAddress: '127.0.0.1', ...(source === undefined ? {} : {source})});
	return {
		group,
		port,
		receiver,
		received,
		atLeast: async (count) => {
			await eventually(`${count} datagrams`, () => received.length >= count);
			return received;
		},
	};
};
