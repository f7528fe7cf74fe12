"""What Argo's command sends, byte by byte, is answered as the original does."""

import pytest
import yaml

import argo_exchanges
import web_ui_requests


@pytest.mark.parametrize("name", argo_exchanges.NAMES)
def test_requests_of_the_command(tiphys, tmp_path, name):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(web_ui_requests.config_of("archive")))
    tiphys.up("--config", config)
    found = argo_exchanges.differences(name, argo_exchanges.player_of(tiphys.data_dir))
    assert not found, "\n".join(found)
