import {packetOverheadBytes} from '#headend/schedule/wire-size.ts';
import {dataFieldShares, type Encapsulation} from '#headend/uplink/encapsulation-cost.ts';
import type {Modcod} from '#native/modem/modem.ts';

/** Kbch less this is the data field (EN 302 307-1, 5.1.6). */
const bbHeaderBits = 80;
/** One slot (EN 302 307-1, 5.5.2). */
const plHeaderSymbols = 90;
/** Of an LDPC codeword; those of VL-SNR are punctured, which counts as physical layer here. */
const codewordBits = {normal: 64_800, medium: 32_400, short: 16_200} as const;
const ipUdpBytes = 28;
/** PAT, PMT, NIT, SDT and TDT at the repetition of TR 101 211, a packet each. */
const tableBps = 50_000;
/** Short datagrams cost more headers than the mean; what they do not need goes out as null packets or padding. */
const stuffingRatio = 0.005;

/** Of the channel's bits, from the antenna to the object. */
export const budgetLayers = [
	'plheader',
	'pilots',
	'code',
	'bbheader',
	'transport',
	'tables',
	'encapsulation',
	'ip',
	'lct',
	'al-fec',
	'signalling',
	'unused',
	'objects',
] as const;
export type BudgetLayer = (typeof budgetLayers)[number];

export type LinkBudgetRequest = {
	readonly modcod: Modcod;
	readonly symbolRateSps: number;
	readonly rollOff: number;
	readonly encapsulation: Encapsulation;
	/** Of one encoding symbol, which fills a datagram. */
	readonly symbolBytes: number;
	/** Repair symbols per source symbol. */
	readonly repairRatio: number;
	/** What announcement and FDTs take, IP layer; known once they are on air. */
	readonly signallingBps: number;
	/** IP layer, where less is ordered than fits. */
	readonly orderedBps?: number | undefined;
};

export type LinkBudget = {
	/** Between the -3 dB points is the symbol rate; this is the whole slope. */
	readonly bandwidthHz: number;
	readonly bbFrameRate: number;
	/** Of data fields: what the standard's tables give for a transport stream. */
	readonly bitRateBps: number;
	/** The same per symbol, as the standard prints it. */
	readonly efficiency: number;
	/** For IP datagrams; the carousel is paced at it. */
	readonly ipRateBps: number;
	/** Adds up to symbol rate times bits per symbol. */
	readonly layers: readonly {readonly layer: BudgetLayer; readonly bps: number}[];
};

/** Where the bits of a transponder go. Pure: frame sizes come with the MODCOD, all else from the standards' headers. */
export const linkBudget = (request: LinkBudgetRequest): LinkBudget => {
	const {modcod, symbolRateSps, rollOff, encapsulation, symbolBytes, repairRatio} = request;
	const {bitsPerSymbol, bbFrameBits, frameSymbols} = modcod;
	const bbFrameRate = symbolRateSps / frameSymbols;
	const frameBits = frameSymbols * bitsPerSymbol;
	const dataFieldBits = bbFrameBits - bbHeaderBits;
	const datagramBytes = symbolBytes + packetOverheadBytes;
	const shares = dataFieldShares({encapsulation, dataFieldBits, datagramBytes});
	const bitRateBps = dataFieldBits * bbFrameRate;
	const spareBps = Math.min(bitRateBps, bitRateBps * stuffingRatio + (encapsulation === 'mpe' ? tableBps : 0));
	// What goes out beside datagrams takes from all that carries them alike.
	const carried = 1 - spareBps / bitRateBps;
	const ipRateBps = Math.floor(shares.datagrams * bbFrameRate * carried);
	const usedBps = Math.min(ipRateBps, request.orderedBps ?? ipRateBps);
	const ofDatagrams = (bytes: number): number => (usedBps * bytes) / datagramBytes;
	const symbolsBps = ofDatagrams(symbolBytes);
	const signallingBps = Math.min(request.signallingBps, symbolsBps);
	const sourceBps = (symbolsBps - signallingBps) / (1 + repairRatio);
	const code = codewordBits[modcod.frame];
	const bps: Readonly<Record<Exclude<BudgetLayer, 'encapsulation'>, number>> = {
		plheader: plHeaderSymbols * bitsPerSymbol * bbFrameRate,
		pilots: (frameBits - plHeaderSymbols * bitsPerSymbol - code) * bbFrameRate,
		code: (code - bbFrameBits) * bbFrameRate,
		bbheader: bbHeaderBits * bbFrameRate,
		transport: shares.transport * bbFrameRate * carried,
		tables: spareBps,
		ip: ofDatagrams(ipUdpBytes),
		lct: ofDatagrams(packetOverheadBytes - ipUdpBytes),
		'al-fec': sourceBps * repairRatio,
		signalling: signallingBps,
		unused: ipRateBps - usedBps,
		objects: sourceBps,
	};
	const others = Object.values(bps).reduce((total, each) => total + each, 0);
	return {
		bandwidthHz: symbolRateSps * (1 + rollOff),
		bbFrameRate,
		bitRateBps,
		efficiency: dataFieldBits / frameSymbols,
		ipRateBps,
		layers: budgetLayers.map((layer) => ({
			layer,
			bps: layer === 'encapsulation' ? symbolRateSps * bitsPerSymbol - others : bps[layer],
		})),
	};
};
