import {createSocket} from 'node:dgram';
import {once} from 'node:events';

/** A UDP port that nobody holds now. */
export const freeUdpPort = async (): Promise<number> => {
	const socket = createSocket('udp4');
	try {
		socket.bind({port: 0, address: '127.0.0.1'});
		await once(socket, 'listening');
		return socket.address().port;
	} finally {
		socket.close();
	}
};
