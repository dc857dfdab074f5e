import type {GatewaySession, RepairParameters} from '#appliance/contract/gateway-session.ts';
import type {Title} from '#appliance/contract/title-schema.ts';

/** A session on the content group. `carries` decides which services the gateway configuration binds to it. */
export type ContentSession = GatewaySession & {
	/** Unique among the sessions, letters, digits, `.`, `-` and `_`. */
	readonly id: string;
	readonly carries: 'files' | 'live';
};

export type SatelliteFacts = {
	readonly system: 'DVB-S2' | 'DVB-S2X';
	/** East positive, west negative. */
	readonly orbitalPositionDegrees: number;
	readonly frequencyKhz: number;
	readonly polarization: 'horizontal' | 'vertical' | 'left circular' | 'right circular';
	readonly symbolRateKsps: number;
	readonly modulation: string;
	readonly rollOff: '0.35' | '0.25' | '0.20' | '0.15' | '0.10' | '0.05';
	/** Code rate, for example `3/4`. */
	readonly codeRate: string;
	readonly inputStreamIdentifier: number;
	readonly scramblingSequenceIndex?: number | undefined;
	readonly originalNetworkId: number;
	readonly transportStreamId: number;
	/** Program number of the NIP stream's service in the transport stream. */
	readonly serviceId: number;
};

export type NetworkFacts = {
	readonly name: string;
	readonly providerName: string;
	/** 1..65280 (TS 103 876). */
	readonly networkId: number;
	readonly carrierId: number;
	readonly linkId: number;
	readonly serviceId: number;
	readonly linkLayerFormat: 'TS' | 'GSE-Lite';
	/** Absent on a terrestrial or laboratory network; then no tuning facts and no DVB-S locators are announced. */
	readonly satellite?: SatelliteFacts | undefined;
};

/** Everything the announcement says. Equal facts give equal bytes. */
export type SignallingFacts = {
	readonly operator: {
		readonly name: string;
		/** Authority and year of `tag:` URIs (RFC 4151), for example `streamverse.example,2026`. */
		readonly tagAuthority: string;
		/** BCP 47 language of the names. */
		readonly language: string;
		/** ISO 3166-1 alpha-3 country that the service list is meant for. */
		readonly country?: string | undefined;
	};
	/** `http://dvb.gw/<operator>/`. */
	readonly objectBaseUri: string;
	/** The announcement channel itself. */
	readonly announcement: GatewaySession;
	readonly content: readonly ContentSession[];
	readonly repair?: RepairParameters | undefined;
	/** Where the same paths are served on the web, for players without a set-top; ends in `/`. */
	readonly webBaseUrl?: string | undefined;
	readonly network: NetworkFacts;
	readonly titles: readonly Title[];
	/** Unix ms until which the gateway configuration holds; absent = until it is replaced. */
	readonly validUntilMs?: number | undefined;
};

/** The identifier of a service in both the DVB-I list and the gateway configuration. */
export const serviceIdentifierOf = (facts: SignallingFacts, titleId: string): string =>
	`tag:${facts.operator.tagAuthority}:service/${encodeURIComponent(titleId)}`;

export const liveTitlesOf = (facts: SignallingFacts): readonly Title[] =>
	facts.titles.filter((title) => title.kind === 'live');
