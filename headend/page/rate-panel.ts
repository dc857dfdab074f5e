import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, createSvg, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatCount, formatRate} from '../../appliance/page/format.ts';
import {createSparkline} from '../../appliance/page/sparkline.ts';
import {createFact, createPanel, type Panel} from './panel.ts';

/** Half a circle of radius 40. */
const arcPath = 'M10,50A40,40 0 0 1 90,50';
const arcLength = Math.PI * 40;

/** A rate error above this is more than the pacing promises, and worth a colour. */
const rateErrorRatioMax = 0.001;

/** What leaves the uplink now, against what was ordered. */
export const createRatePanel = (): Panel => {
	const value = createSvg('path', {d: arcPath, class: 'gauge-value', fill: 'none'});
	const gauge = createSvg(
		'svg',
		{viewBox: '0 0 100 56', class: 'gauge', 'aria-hidden': 'true'},
		createSvg('path', {d: arcPath, class: 'gauge-track', fill: 'none'}),
		value,
	);
	const rate = create('strong', {class: 'big'});
	const ordered = create('span', {class: 'soft'});
	const spark = createSparkline({label: 'Sent rate over the last two minutes', scaleMin: 1000});
	const accuracy = createFact('Rate error');
	const sent = createFact('Sent');
	const group = createFact('Group');
	const element = createPanel(
		'Uplink',
		create('div', {class: 'lead'}, gauge, create('p', {}, rate, ordered)),
		spark.element,
		create('dl', {class: 'facts'}, accuracy.element, sent.element, group.element),
	);
	return {
		element,
		update: ({uplink}: HeadendStatus) => {
			const ratio = uplink.rateBps === 0 ? 0 : Math.min(1, uplink.sentBps / uplink.rateBps);
			setAttribute(value, 'stroke-dasharray', `${(ratio * arcLength).toFixed(2)} ${arcLength.toFixed(2)}`);
			setText(rate, formatRate(uplink.sentBps));
			setText(ordered, `of ${formatRate(uplink.rateBps)}`);
			spark.push(uplink.sentBps);
			accuracy.show(`${(uplink.rateErrorRatio * 100).toFixed(3)} %`, uplink.rateErrorRatio > rateErrorRatioMax);
			sent.show(`${formatBytes(uplink.sentBytes)}, ${formatCount(uplink.sentPackets)} packets`);
			group.show(`${uplink.group}:${uplink.port}`);
		},
	};
};
