import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, PhaseBadge, type Tone} from '../component/badge.tsx';
import {Empty} from '../component/empty.tsx';
import {Panel} from '../component/panel.tsx';
import {formatBytes} from '../format/format-number.ts';
import {formatDateTime} from '../format/format-time.ts';
import {BoxCertificate} from './box-certificate.tsx';
import {BoxPlace} from './box-place.tsx';

type Reported = NonNullable<BoxDetail['reported']>;

export type BoxStateProps = {
	readonly box: BoxDetail;
	readonly etag: string | undefined;
	readonly onChanged: () => void;
};

export const BoxState = ({box, etag, onChanged}: BoxStateProps): JSX.Element => {
	const {reported} = box;
	return (
		<div class="grid">
			{reported !== null && reported.reasons.length > 0 && (
				<div class="notice span-12" data-tone="bad">
					{reported.reasons.join(' · ')}
				</div>
			)}
			<Panel title="Running" class="span-5">
				{reported === null ? (
					<Empty title="This box has not reported yet" />
				) : (
					<Running box={box} reported={reported} />
				)}
			</Panel>
			<Panel title="Slots" class="span-7">
				{reported === null || reported.slots.length === 0 ? (
					<Empty title="No slots reported" />
				) : (
					<Slots reported={reported} />
				)}
				<Update box={box} />
			</Panel>
			<Panel title="Services" class="span-7 panel-flush">
				<Services reported={reported} />
			</Panel>
			<BoxPlace box={box} etag={etag} onChanged={onChanged} />
			<Panel title="Hardware" class="span-7">
				{reported !== null && <Hardware reported={reported} box={box} />}
			</Panel>
			<BoxCertificate box={box} onChanged={onChanged} />
		</div>
	);
};

const Running = ({box, reported}: {readonly box: BoxDetail; readonly reported: Reported}): JSX.Element => (
	<dl class="facts">
		<dt>Release</dt>
		<dd class="mono">{reported.release}</dd>
		<dt>Booted</dt>
		<dd>
			<Age atMs={reported.bootedMs} />
		</dd>
		<dt>Last seen</dt>
		<dd>
			<Age atMs={box.lastSeenMs} />
		</dd>
		<dt>Enrolled</dt>
		<dd>{formatDateTime(box.enrolledMs)}</dd>
		<dt>Desired state</dt>
		<dd>
			{box.desiredKeptRevision >= box.desiredRevision
				? `kept (revision ${box.desiredRevision})`
				: `revision ${box.desiredRevision} is on its way; the box has ${box.desiredKeptRevision}`}
		</dd>
		<dt>Overlay</dt>
		<dd>
			{reported.config.refused ??
				(reported.config.overlayRevision === 0 ? 'none' : `revision ${reported.config.overlayRevision}`)}
		</dd>
	</dl>
);

const slotTones: Readonly<Record<Reported['slots'][number]['status'], Tone>> = {
	good: 'good',
	bad: 'bad',
	unknown: 'none',
};

const Slots = ({reported}: {readonly reported: Reported}): JSX.Element => (
	<div class="slots">
		{reported.slots.map((slot) => (
			<div key={slot.name} class="slot" data-booted={slot.state === 'booted'}>
				<span class="soft">{slot.name}</span> <Badge tone={slotTones[slot.status]}>{slot.status}</Badge>
				<strong class="mono">{slot.release ?? 'empty'}</strong>
				<span class="faint small">{slot.state === 'booted' ? 'runs now' : 'in waiting'}</span>
			</div>
		))}
	</div>
);

const Update = ({box}: {readonly box: BoxDetail}): JSX.Element | null => {
	const {update} = box;
	return update.phase === 'idle' ? null : (
		<p class="update-line">
			<PhaseBadge phase={update.phase} /> {update.release !== null && <span class="mono">{update.release}</span>}{' '}
			{update.reason !== null && (
				<span class="soft">
					{update.reason.message} <span class="faint mono">{update.reason.code}</span>
				</span>
			)}
		</p>
	);
};

const serviceTones: Readonly<Record<Reported['services'][number]['state'], Tone>> = {
	running: 'good',
	starting: 'accent',
	stopping: 'accent',
	waiting: 'warn',
	stopped: 'none',
};

const Services = ({reported}: {readonly reported: Reported | null}): JSX.Element =>
	reported === null || reported.services.length === 0 ? (
		<Empty title="No services reported" />
	) : (
		<table class="table">
			<thead>
				<tr>
					<th class="wide">Service</th>
					<th>State</th>
					<th class="number">Restarts</th>
				</tr>
			</thead>
			<tbody>
				{reported.services.map((service) => (
					<tr key={service.name}>
						<td>
							{service.name} {service.mustRun && <span class="tag">must run</span>}
						</td>
						<td>
							{service.crashLoop ? (
								<Badge tone="bad">crash loop</Badge>
							) : (
								<Badge tone={serviceTones[service.state]}>{service.state}</Badge>
							)}
						</td>
						<td class="number">{service.restarts}</td>
					</tr>
				))}
			</tbody>
		</table>
	);

const Hardware = ({reported, box}: {readonly reported: Reported; readonly box: BoxDetail}): JSX.Element => (
	<dl class="facts">
		<dt>Model</dt>
		<dd>{reported.hardware.model}</dd>
		<dt>Serial</dt>
		<dd class="mono">{box.serial || '–'}</dd>
		<dt>Processor</dt>
		<dd>
			{reported.hardware.cpu} × {reported.hardware.cpuCount}
		</dd>
		<dt>Memory, disk</dt>
		<dd>
			{formatBytes(reported.hardware.memoryBytes)}, {formatBytes(reported.hardware.diskBytes)}
		</dd>
		<dt>Time zone</dt>
		<dd>{reported.timeZone}</dd>
		<dt>Addresses</dt>
		<dd>
			{reported.addresses.map(({interface: name, address}) => (
				<div key={`${name} ${address}`}>
					<span class="mono">{address}</span> <span class="faint">{name}</span>
				</div>
			))}
		</dd>
	</dl>
);
