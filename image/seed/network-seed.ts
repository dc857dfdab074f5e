import {z} from 'zod';

const cardsMax = 8;
const addressesMax = 8;
const nameServersMax = 3;
const timeServersMax = 4;
const addressSchema = z.union([z.ipv4(), z.ipv6()]);

/** Cards whose addresses no DHCP server gives, such as a headend's towards its modulator. Others ask by DHCP. */
export const networkSeedSchema = z
	.array(
		z.strictObject({
			hardwareAddress: z
				.string()
				.regex(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/u, 'is six pairs of lower-case hexadecimal digits with colons'),
			addresses: z
				.array(z.union([z.cidrv4(), z.cidrv6()]))
				.min(1)
				.max(addressesMax)
				.describe('Each with its prefix, as 192.0.2.10/24.'),
			gateway: addressSchema.optional(),
			nameServers: z.array(addressSchema).max(nameServersMax).default([]),
			timeServers: z
				.array(z.union([addressSchema, z.hostname()]))
				.max(timeServersMax)
				.default([])
				.describe('NTP, beside the public ones, which a closed network does not reach.'),
		}),
	)
	.max(cardsMax);
export type NetworkSeed = z.infer<typeof networkSeedSchema>;

/** What a later seed replaces; systemd-networkd takes the first file by name that matches a card. */
export const isSeededNetworkFile = (name: string): boolean => /^60-seed-[0-9a-f]{12}\.network$/u.test(name);

/** Files of systemd-networkd by name (systemd.network(5)). Pure. */
export const networkFilesOf = (network: NetworkSeed): ReadonlyMap<string, string> =>
	new Map(
		network.map(({hardwareAddress, addresses, gateway, nameServers, timeServers}) => {
			const lines = [
				...['[Match]', `MACAddress=${hardwareAddress}`, '', '[Link]', 'Multicast=yes', '', '[Network]'],
				...['DHCP=no', 'LinkLocalAddressing=ipv6'],
				...addresses.map((address) => `Address=${address}`),
				...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
				...nameServers.map((server) => `DNS=${server}`),
				...timeServers.map((server) => `NTP=${server}`),
			];
			return [`60-seed-${hardwareAddress.replaceAll(':', '')}.network`, `${lines.join('\n')}\n`] as const;
		}),
	);
