import {collectDefaultMetrics, Gauge, Registry} from 'prom-client';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';

/** A registry of this supervisor's own, filled from the status at each scrape, so that the two can never differ. */
export const createServiceMetrics = (status: () => SupervisorStatus): Registry => {
	const registry = new Registry();
	collectDefaultMetrics({register: registry});
	const gauge = (
		name: string,
		help: string,
		value: (service: SupervisorStatus['services'][number]) => number,
	): void => {
		new Gauge({
			name: `streamverse_service_${name}`,
			help,
			labelNames: ['service'],
			registers: [registry],
			collect() {
				this.reset();
				for (const service of status().services) {
					this.set({service: service.name}, value(service));
				}
			},
		});
	};
	gauge('up', '1 while the service runs', ({state}) => (state === 'running' ? 1 : 0));
	gauge('restarts_total', 'Starts after a failure, since the supervisor started', ({restarts}) => restarts);
	gauge('crash_loop', '1 while the service fails again and again', ({crashLoop}) => (crashLoop ? 1 : 0));
	gauge('heartbeat_age_seconds', 'Since the last sign of life', ({heartbeatAgeMs}) =>
		heartbeatAgeMs === undefined ? Number.NaN : heartbeatAgeMs / 1000,
	);
	new Gauge({
		name: 'streamverse_box_healthy',
		help: '1 while every service that must run does',
		labelNames: ['box', 'kind', 'release'],
		registers: [registry],
		collect() {
			const {box, software, healthy} = status();
			this.set({box: box.id, kind: box.kind, release: software.release}, healthy ? 1 : 0);
		},
	});
	return registry;
};
