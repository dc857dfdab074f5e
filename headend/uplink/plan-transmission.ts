import {CodedError} from '#appliance/error/coded-error.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import type {HeadendErrorCode} from '#headend/error-code.ts';
import type {Encapsulation} from '#headend/uplink/encapsulation-cost.ts';
import {findModcod} from '#headend/uplink/find-modcod.ts';
import {type LinkBudget, linkBudget} from '#headend/uplink/link-budget.ts';
import type {Modcod} from '#native/modem/modem.ts';

/** On a network without a satellite, where nobody set a rate: what the first transponder would leave. */
const rateWithoutTransponderBps = 59_000_000;

export type TransmissionPlan = {
	/** IP layer: what the carousel is paced at, and its budget. */
	readonly rateBps: number;
	/** Absent without a satellite. */
	readonly link?:
		| {readonly modcod: Modcod; readonly encapsulation: Encapsulation; readonly budget: LinkBudget}
		| undefined;
};

/**
 * The rate that follows from the transponder, or the lower one that is configured.
 * @throws CodedError HEADEND_MODCOD_UNKNOWN, HEADEND_UPLINK_FORM, HEADEND_RATE_TOO_HIGH
 */
export const planTransmission = (config: HeadendConfig, signallingBps = 0): TransmissionPlan => {
	const {network, uplink} = config;
	const {satellite} = network;
	const {form} = uplink.output;
	if (satellite === null) {
		if (form !== 'ip') {
			throw refused(
				'HEADEND_UPLINK_FORM',
				`uplink.output.form ${form} needs a transponder; network.satellite is null.`,
			);
		}
		return {rateBps: uplink.rateBps ?? rateWithoutTransponderBps};
	}
	const encapsulation = network.linkLayerFormat === 'TS' ? 'mpe' : 'gse';
	if ((form === 'mpe' || form === 'gse') && form !== encapsulation) {
		throw refused(
			'HEADEND_UPLINK_FORM',
			`uplink.output.form ${form} contradicts network.linkLayerFormat ${network.linkLayerFormat}, which receivers are told.`,
		);
	}
	const modcod = findModcod(satellite);
	const budget = linkBudget({
		modcod,
		encapsulation,
		symbolRateSps: satellite.symbolRateKsps * 1000,
		rollOff: Number(satellite.rollOff),
		symbolBytes: uplink.symbolBytes,
		repairRatio: uplink.fec.encodingId === 0 ? 0 : uplink.fec.overheadPercent / 100,
		signallingBps,
		orderedBps: uplink.rateBps,
	});
	const rateBps = uplink.rateBps ?? budget.ipRateBps;
	if (form !== 'ip' && rateBps > budget.ipRateBps) {
		throw refused(
			'HEADEND_RATE_TOO_HIGH',
			`uplink.rateBps ${rateBps} is more than the ${budget.ipRateBps} bit/s that ${modcod.name} at ` +
				`${satellite.symbolRateKsps} ksym/s leaves for IP. Without it the rate follows from the transponder.`,
		);
	}
	return {rateBps, link: {modcod, encapsulation, budget}};
};

const refused = (code: HeadendErrorCode, message: string): CodedError<HeadendErrorCode> =>
	new CodedError(code, {message});
