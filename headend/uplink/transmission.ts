import type {HeadendConfig} from '#headend/config-schema.ts';
import {planTransmission, type TransmissionPlan} from '#headend/uplink/plan-transmission.ts';

/** What may change while the headend runs: the transponder's parameters, and a rate below what they give. */
const withoutTransponder = ({network, uplink, ...rest}: HeadendConfig): string => {
	const {satellite, ...link} = network;
	const {rateBps: _rate, ...output} = uplink;
	return JSON.stringify({...rest, network: {...link, hasSatellite: satellite !== null}, uplink: output});
};

/** Holds how the headend transmits at the moment. */
export class Transmission {
	#config: HeadendConfig;
	#plan: TransmissionPlan;

	/** @throws CodedError as `planTransmission` does. */
	constructor(config: HeadendConfig) {
		this.#config = config;
		this.#plan = planTransmission(config);
	}

	get config(): HeadendConfig {
		return this.#config;
	}

	get plan(): TransmissionPlan {
		return this.#plan;
	}

	get rateBps(): number {
		return this.#plan.rateBps;
	}

	/**
	 * Takes up another transponder; false when more than that has changed, and the headend must be started anew.
	 * @throws CodedError as `planTransmission` does; then nothing has changed.
	 */
	take(config: HeadendConfig): boolean {
		if (withoutTransponder(config) !== withoutTransponder(this.#config)) {
			return false;
		}
		this.#plan = planTransmission(config);
		this.#config = config;
		return true;
	}
}
