import { type Answers, json, text } from '../answers.ts';

const GROUPS = json({
  status: 'success',
  data: { groups: [{ name: 'pods', file: '/rules/pods.yaml', interval: 30, rules: [] }] },
});

/** Source: https://github.com/VictoriaMetrics/VictoriaMetrics/blob/master/app/vmalert/web.go */
export const VMALERT: Answers = {
  '/health': text('OK'),
  '/api/v1/rules': GROUPS,
  '/vmalert/api/v1/rules': GROUPS,
  '/api/v1/alerts': json({ status: 'success', data: { alerts: [] } }),
};

/** What it answers to a path that it does not have. */
export const VMALERT_NOT_FOUND = text('unsupported path requested: "/x" \n', 400);

/** Source: https://github.com/thanos-io/thanos/blob/main/pkg/api/rule/v1.go */
export const THANOS_RULER: Answers = {
  '/-/healthy': text('OK'),
  '/-/ready': text('OK'),
  '/api/v1/rules': GROUPS,
  '/api/v1/alerts': json({ status: 'success', data: { alerts: [] } }),
  '/api/v1/status/buildinfo': json({
    status: 'success',
    data: { version: '0.39.2', revision: '3f1', branch: 'HEAD', goVersion: 'go1.24.5' },
  }),
};
