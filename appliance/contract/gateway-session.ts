/**
 * The parts of a TS 103 769 MulticastGatewayConfiguration that both ends use, free of XML. The headend writes it
 * (headend/signalling), the set-top reads it (stb/signalling).
 */
export type MulticastEndpoint = {
	/** IPv4 or IPv6 group. */
	readonly group: string;
	readonly port: number;
	/** For source-specific joins; absent joins any source. */
	readonly source?: string | undefined;
	/** LCT transport session identifier; absent = every session on the endpoint. */
	readonly tsi?: number | undefined;
};

export type RepairParameters = {
	/** Object URIs begin with this; what follows is appended to a base URL. */
	readonly objectBaseUri: string;
	/** After this long without a packet of an object its transmission counts as ended, ms. */
	readonly receptionTimeoutMs: number;
	readonly fixedBackOffMs: number;
	readonly randomBackOffMs: number;
	readonly baseUrls: readonly {readonly url: string; readonly weight: number}[];
};

export type GatewaySession = {
	readonly id?: string | undefined;
	readonly endpoint: MulticastEndpoint;
	readonly serviceClass?: string | undefined;
	readonly bitrateMaxBps: number;
	/** FEC Encoding ID; 0 = Compact No-Code. */
	readonly fecEncodingId: number;
	readonly fecOverheadPercent: number;
	readonly repair?: RepairParameters | undefined;
};

export type GatewayConfiguration = {
	/** Unix ms; absent = until replaced. */
	readonly validUntilMs?: number | undefined;
	readonly sessions: readonly GatewaySession[];
	readonly services: readonly {
		readonly serviceIdentifier: string;
		readonly manifests: readonly {readonly uri: string; readonly contentType: string}[];
	}[];
};

/** Object URIs of the signalling (TS 103 769 clause 10.2, TS 103 876 clause 8). */
export const signallingUris = {
	gatewayConfiguration: 'urn:dvb:metadata:cs:MulticastTransportObjectTypeCS:2021:gateway-configuration',
	bootstrap: 'urn:dvb:metadata:cs:NativeIPMulticastTransportObjectTypeCS:2023:bootstrap',
	networkInformation: 'urn:dvb:metadata:nativeip:NetworkInformationFile',
	serviceInformation: 'urn:dvb:metadata:nativeip:ServiceInformationFile',
	serviceListEntryPoints: 'urn:dvb:metadata:nativeip:dvb-i-slep',
} as const;

/** Where the announcement channel is (TS 103 876 clause 8.2.2). */
export const announcementEndpoint = {group: '224.0.23.14', port: 3937, tsi: 0} as const;

/** Names below `<objectBaseUri>signalling/` of what is carouselled by URL. */
export const signallingPaths = {
	serviceList: 'signalling/service-list.xml',
	titles: 'signalling/titles.json',
} as const;
