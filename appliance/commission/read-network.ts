import {readFile} from 'node:fs/promises';
import {type NetworkInterfaceInfo, networkInterfaces} from 'node:os';
import path from 'node:path';
import type {NetworkFacts} from '#appliance/commission/commission-schema.ts';

const interfacesMax = 16;
const addressesMax = 16;
const nameServersMax = 8;

export type NetworkSources = {
	readonly interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>;
	readonly linkDirectory: string;
	readonly routeFile: string;
	readonly routeFile6: string;
	/** The first that names a server counts: a local resolver's stub is not what a technician asks for. */
	readonly resolverFiles: readonly string[];
};

const systemSources: NetworkSources = {
	interfaces: networkInterfaces,
	linkDirectory: '/sys/class/net',
	routeFile: '/proc/net/route',
	routeFile6: '/proc/net/ipv6_route',
	resolverFiles: ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'],
};

/** An interface that is down cannot be asked for its carrier, which is an answer, too. */
const text = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

export const readNetwork = async (sources: NetworkSources = systemSources): Promise<NetworkFacts> => {
	const named = Object.entries(sources.interfaces())
		.map(([name, addresses = []]) => ({name, addresses: addresses.filter(({internal}) => !internal)}))
		.filter(({addresses}) => addresses.length > 0)
		.slice(0, interfacesMax);
	const interfaces = await Promise.all(
		named.map(async ({name, addresses}) => ({
			name,
			addresses: addresses.slice(0, addressesMax).map(({address, cidr}) => cidr ?? address),
			...(await readLink(path.join(sources.linkDirectory, name))),
		})),
	);
	const gateway = parseGateway(await text(sources.routeFile)) ?? parseGateway6(await text(sources.routeFile6));
	const resolvers = await Promise.all(sources.resolverFiles.map(text));
	const nameServers = resolvers.map(parseNameServers).find(({length}) => length > 0) ?? [];
	return {interfaces, nameServers: [...nameServers], ...(gateway === undefined ? {} : {gateway})};
};

const readLink = async (directory: string): Promise<{readonly link?: boolean; readonly speedMbps?: number}> => {
	const [carrier, speed] = await Promise.all([
		text(path.join(directory, 'carrier')),
		text(path.join(directory, 'speed')),
	]);
	const speedMbps = Number(speed.trim());
	return {
		...(carrier.trim() === '' ? {} : {link: carrier.trim() === '1'}),
		// A virtual card says -1: unknown.
		...(speedMbps > 0 ? {speedMbps} : {}),
	};
};

/** The route to 0.0.0.0/0 in /proc/net/route, whose addresses are hexadecimal with the last byte first. */
export const parseGateway = (routes: string): string | undefined => {
	for (const line of routes.split('\n')) {
		const [, destination, gateway, , , , , mask] = line.trim().split(/\s+/u);
		if (destination === '00000000' && mask === '00000000' && /^[0-9A-F]{8}$/iu.test(gateway ?? '')) {
			const bytes = Buffer.from(gateway ?? '', 'hex').reverse();
			return bytes.every((byte) => byte === 0) ? undefined : bytes.join('.');
		}
	}
	return undefined;
};

/** The same of a network of IPv6 alone, by /proc/net/ipv6_route: ::/0, source, and by which neighbour. */
export const parseGateway6 = (routes: string): string | undefined => {
	for (const line of routes.split('\n')) {
		const [destination, prefixLength, , , gateway = ''] = line.trim().split(/\s+/u);
		const isDefault = /^0{32}$/u.test(destination ?? '') && prefixLength === '00';
		if (isDefault && /^[0-9a-f]{32}$/u.test(gateway) && !/^0+$/u.test(gateway)) {
			// As RFC 5952 section 4 writes it.
			return new URL(`http://[${gateway.replaceAll(/(....)(?=.)/gu, '$1:')}]`).hostname.slice(1, -1);
		}
	}
	return undefined;
};

/** resolv.conf(5). */
export const parseNameServers = (resolver: string): readonly string[] =>
	[...resolver.matchAll(/^\s*nameserver\s+(\S{1,64})/gmu)].map(([, address]) => address ?? '').slice(0, nameServersMax);
