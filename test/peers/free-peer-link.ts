import {randomInt} from 'node:crypto';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';

/** A group and a port on loopback that nobody else uses. */
export const freePeerLink = async () => ({
	group: `239.255.${randomInt(1, 255)}.${randomInt(1, 255)}`,
	port: await freeUdpPort(),
	interface: '127.0.0.1',
});
