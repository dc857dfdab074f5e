import type {Title} from '#appliance/contract/title-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type SignallingObject, signallingObjects} from '#headend/signalling/announce.ts';
import type {SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import {createVersionBook, type VersionBook} from '#headend/signalling/version-book.ts';

export const base = 'http://dvb.gw/streamverse/';

const hls = (path: string) => ({uri: `${base}${path}`, contentType: 'application/vnd.apple.mpegurl' as const});
const dash = (path: string) => ({uri: `${base}${path}`, contentType: 'application/dash+xml' as const});

export const newsTitle: Title = {
	id: 'news 24/7',
	kind: 'live',
	name: 'News "24/7" <live> & more',
	description: 'All day\u0000 & all night',
	imageUri: `${base}live/news/logo.png`,
	channelNumber: 7,
	manifests: [hls('live/news/master.m3u8'), dash('live/news/manifest.mpd')],
};

export const filmTitle: Title = {
	id: 'film',
	kind: 'vod',
	name: 'A Film',
	durationMs: 5_400_000,
	manifests: [hls('vod/film/master.m3u8')],
};

const endpoint = {group: '239.255.1.1', port: 5001, source: '10.0.0.1'};

export const sampleFacts: SignallingFacts = {
	operator: {name: 'StreamVerse & Co', tagAuthority: 'streamverse.example,2026', language: 'en', country: 'CHE'},
	objectBaseUri: base,
	announcement: {
		endpoint: {group: '224.0.23.14', port: 3937, tsi: 0, source: '10.0.0.1'},
		bitrateMaxBps: 500_000,
		fecEncodingId: 0,
		fecOverheadPercent: 0,
	},
	content: [
		{
			id: 'files',
			carries: 'files',
			endpoint: {...endpoint, tsi: 1},
			bitrateMaxBps: 20_000_000,
			fecEncodingId: 5,
			fecOverheadPercent: 12,
		},
		{
			id: 'live',
			carries: 'live',
			endpoint: {...endpoint, tsi: 2},
			bitrateMaxBps: 20_000_000,
			fecEncodingId: 0,
			fecOverheadPercent: 0,
		},
	],
	repair: {
		objectBaseUri: base,
		receptionTimeoutMs: 2000,
		fixedBackOffMs: 100,
		randomBackOffMs: 500,
		baseUrls: [
			{url: 'http://pop-1.example/streamverse/', weight: 3},
			{url: 'http://pop-2.example/streamverse/', weight: 1},
		],
	},
	webBaseUrl: 'http://pop-1.example/streamverse/',
	network: {
		name: 'StreamVerse East',
		providerName: 'StreamVerse',
		networkId: 318,
		carrierId: 7600,
		linkId: 0,
		serviceId: 5001,
		linkLayerFormat: 'TS',
		satellite: {
			system: 'DVB-S2',
			orbitalPositionDegrees: -12.5,
			frequencyKhz: 11_727_500,
			polarization: 'vertical',
			symbolRateKsps: 27_500,
			modulation: '8PSK',
			rollOff: '0.20',
			codeRate: '3/4',
			inputStreamIdentifier: 3,
			originalNetworkId: 1,
			transportStreamId: 2,
			serviceId: 5001,
		},
	},
	titles: [newsTitle, filmTitle],
};

/** 2026-11-21T00:00:00Z. */
export const startMs = 1_795_219_200_000;

export const fixedClock = (nowMs = startMs): Clock => ({nowMs: () => nowMs, monotonicMs: () => 0});

/** The signalling's documents as text, by URI. */
export const documentsOf = (
	facts: SignallingFacts,
	versions: VersionBook = createVersionBook({clock: fixedClock()}),
): ReadonlyMap<string, string> =>
	new Map(
		signallingObjects(facts, versions).map(({uri, bytes}: SignallingObject) => [uri, Buffer.from(bytes).toString()]),
	);
