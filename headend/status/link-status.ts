import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {idealThresholdDb} from '#appliance/contract/ideal-threshold.ts';
import type {OutputStats} from '#headend/uplink/open-output.ts';
import {planTransmission} from '#headend/uplink/plan-transmission.ts';
import type {Transmission} from '#headend/uplink/transmission.ts';

/** The link budget with what signalling takes at the moment. */
export const linkStatusOf = (
	{config}: Transmission,
	{signallingBps, output}: {readonly signallingBps: number; readonly output?: OutputStats | undefined},
): HeadendStatus['link'] => {
	const {satellite} = config.network;
	const {link} = planTransmission(config, signallingBps);
	if (satellite === null || link === undefined) {
		return undefined;
	}
	const {modcod, encapsulation, budget} = link;
	const {bandwidthHz, bitRateBps, efficiency, ipRateBps, layers} = budget;
	return {
		form: config.uplink.output.form,
		encapsulation,
		frequencyKhz: satellite.frequencyKhz,
		polarization: satellite.polarization,
		symbolRateSps: satellite.symbolRateKsps * 1000,
		modcod: modcod.name,
		frame: modcod.frame,
		pilots: modcod.pilots,
		thresholdDb: idealThresholdDb(modcod),
		objectsBps: layers.find(({layer}) => layer === 'objects')?.bps ?? 0,
		output,
		...{bandwidthHz, bitRateBps, efficiency, ipRateBps, layers: [...layers]},
	};
};
