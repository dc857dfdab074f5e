import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';

/** What goes on in place of the datagram that came; `index` counts the datagrams that came. */
export type RelayRule = (datagram: Buffer, index: number) => readonly Buffer[];

/** Takes datagrams on a loopback port and sends what the rule makes of them to a multicast group. */
export const withDatagramRelay = async (
	t: ExecutionContext,
	to: {readonly group: string; readonly port: number},
	rule: RelayRule,
): Promise<{readonly group: string; readonly port: number}> => {
	const socket = createSocket({type: 'udp4', recvBufferSize: 4 * 1024 * 1024});
	let index = 0;
	socket.on('message', (datagram) => {
		for (const changed of rule(datagram, index++)) {
			socket.send(changed, to.port, to.group);
		}
	});
	socket.bind({port: 0, address: '127.0.0.1'});
	await once(socket, 'listening');
	socket.setMulticastInterface('127.0.0.1');
	t.teardown(() => socket.close());
	return {group: '127.0.0.1', port: socket.address().port};
};
