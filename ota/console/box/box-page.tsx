import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import {HealthMark, PresenceBadge} from '../component/badge.tsx';
import {Failed} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {PageHead} from '../component/panel.tsx';
import {boxPath} from '../state/router.ts';
import {may} from '../state/session.ts';
import {type Resource, useResource} from '../state/use-resource.ts';
import {BoxCertificates} from './box-certificates.tsx';
import {BoxCommands} from './box-commands.tsx';
import {BoxConfig} from './box-config.tsx';
import {BoxDiagnostics} from './box-diagnostics.tsx';
import {BoxEvents} from './box-events.tsx';
import {BoxLog} from './box-log.tsx';
import {BoxState} from './box-state.tsx';
import {BoxTelemetry} from './box-telemetry.tsx';
import {BoxTerminal} from './box-terminal.tsx';
import './box.css';

const tabs = [
	['', 'State', 'viewer'],
	['telemetry', 'Telemetry', 'viewer'],
	['events', 'Events', 'viewer'],
	['commands', 'Commands', 'viewer'],
	['terminal', 'Terminal', 'operator'],
	['log', 'Live log', 'operator'],
	['diagnostics', 'Diagnostics', 'viewer'],
	['config', 'Configuration', 'viewer'],
	['certificates', 'Certificates', 'viewer'],
] as const;

export const BoxPage = ({id, tab = ''}: {readonly id: string; readonly tab: string | undefined}): JSX.Element => {
	const box = useResource<BoxDetail>(`/boxes/${encodeURIComponent(id)}`, {live: ['boxes'], id, everyMs: 60_000});
	const data = box.data.value;
	return (
		<>
			<PageHead title={id}>
				{data !== undefined && (
					<>
						<HealthMark health={data.health} />
						<PresenceBadge presence={data.presence} />
						<span class="soft">
							{data.kind}
							{data.site !== null && ` · ${data.site}`}
							{data.model !== '' && ` · ${data.model}`}
						</span>
						{data.revokedMs !== null && <span class="tag">revoked</span>}
					</>
				)}
			</PageHead>
			<nav class="tabs" aria-label="About this box">
				{tabs
					.filter(([, , role]) => may(role))
					.map(([name, text]) => (
						<Link key={name} to={boxPath(id, name)} current={tab === name}>
							{text}
						</Link>
					))}
			</nav>
			{box.error.value !== undefined && <Failed error={box.error.value} onRetry={box.reload} />}
			<Tab id={id} tab={tab} box={box} />
		</>
	);
};

type TabProps = {readonly id: string; readonly tab: string; readonly box: Resource<BoxDetail>};

const Tab = ({id, tab, box}: TabProps): JSX.Element | null => {
	const data = box.data.value;
	switch (tab) {
		case 'telemetry':
			return <BoxTelemetry id={id} />;
		case 'events':
			return <BoxEvents id={id} />;
		case 'commands':
			return <BoxCommands id={id} />;
		case 'terminal':
			return <BoxTerminal id={id} />;
		case 'log':
			return <BoxLog id={id} services={data?.reported?.services.map(({name}) => name) ?? []} />;
		case 'diagnostics':
			return <BoxDiagnostics id={id} interfaces={data?.reported?.addresses.map((one) => one.interface) ?? []} />;
		case 'config':
			return data === undefined ? null : <BoxConfig box={data} etag={box.etag.value} onSaved={box.reload} />;
		case 'certificates':
			return <BoxCertificates id={id} />;
		default:
			return data === undefined ? null : <BoxState box={data} etag={box.etag.value} onChanged={box.reload} />;
	}
};
